import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { IsNotEmpty } from 'class-validator';
import type { IncomingMessage } from 'node:http';
import { apiKeys, ConnectedClient, ConnectedUser, HandshakeQuery, OnConnect, OnDisconnect, OnHandshake, OnSubscribe } from 'nestjs-realtime';
import type { Connection } from '../../../lib/hub/connection';
import { PLATFORMS, type TestApp } from '../../support/create-app';
import { EventStream, httpAnswer } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { deferred, waitFor } from '../../support/wait-for';

@Injectable()
class BanGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<IncomingMessage>().headers['x-banned'] === undefined;
  }
}

@Injectable()
class AppGuard implements CanActivate {
  asked = 0;
  canActivate(): boolean {
    this.asked++;
    return true;
  }
}

class ContractQuery {
  @IsNotEmpty()
  contractId!: string;
}

@Injectable()
class Contracts {
  readonly seen: string[] = [];

  @OnHandshake()
  handshake(@HandshakeQuery() query: ContractQuery): string[] {
    return [`contract:${query.contractId}`];
  }

  @OnConnect()
  connect(@ConnectedClient() client: Connection): void {
    if (client.handshake.query['refuse'] !== undefined) throw new ForbiddenException();
    this.seen.push(`connect ${client.transport}`);
  }

  @OnDisconnect()
  disconnect(@ConnectedClient() client: Connection): void {
    this.seen.push(`disconnect ${client.transport}`);
  }

  @OnSubscribe('private:{owner}')
  own(@ConnectedUser() user: { id: string }): object {
    if (user.id !== 'alice') throw new ForbiddenException();
    return { for: user.id };
  }
}

const good = { origin: 'https://good.example', authorization: 'Bearer key-a' };
const bad = { origin: 'https://evil.example', 'x-banned': 'yes' };

describe.each(PLATFORMS)('the gate before an event stream, over %s', (platform) => {
  const start = testApps();
  let app: TestApp;
  let url: string;

  beforeEach(async () => {
    app = await start({
      platform,
      providers: [BanGuard, Contracts, { provide: APP_GUARD, useClass: AppGuard }],
      realtime: {
        guards: [BanGuard],
        origins: ['https://good.example'],
        limits: { connections: 2, connectionsPerUser: 1 },
        auth: { authenticator: apiKeys({ 'key-a': 'alice', 'key-b': 'bob' }) },
        channels: { 'contract:{id}': {} },
      },
    });
    url = `http://127.0.0.1:${app.port}/ws/events`;
  });

  it('answers what is no stream with 404 and other methods with 404 or 405', async () => {
    expect(await httpAnswer(`${url}/more`)).toMatchObject({ status: 404, body: { statusCode: 404, error: 'Not Found' } });
    expect((await httpAnswer(url, { method: 'HEAD' })).status).toBe(405);
    expect((await httpAnswer(url, { method: 'POST' })).status).toBe(404);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('answers 503 with Retry-After to everybody once it drains', async () => {
    await app.hub.shutdown();
    const answer = await httpAnswer(url, { headers: bad });
    expect(answer).toMatchObject({ status: 503, body: { statusCode: 503, error: 'Service Unavailable' } });
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  it('refuses a foreign origin with 403 before it looks at credentials', async () => {
    const answer = await httpAnswer(url, { headers: bad });
    expect(answer).toMatchObject({ status: 403, body: { statusCode: 403, error: 'Forbidden', message: 'Origin not allowed' } });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('answers missing credentials with 401 and WWW-Authenticate', async () => {
    const answer = await httpAnswer(url, { headers: { ...bad, origin: good.origin } });
    expect(answer).toMatchObject({ status: 401, body: { statusCode: 401, message: 'Unauthorized' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('answers a guard that says no with 403, and a handshake without its parameter with 400', async () => {
    expect(await httpAnswer(url, { headers: { ...good, 'x-banned': 'yes' } })).toMatchObject({
      status: 403,
      body: { statusCode: 403, error: 'Forbidden', message: 'Forbidden resource' },
    });
    expect(await httpAnswer(url, { headers: good })).toMatchObject({
      status: 400,
      body: { statusCode: 400, error: 'Bad Request', message: ['contractId should not be empty'] },
    });
    expect(app.app.get(Contracts).seen).toEqual([]);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('counts streams as connections: of the instance with 503, of a user with 403', async () => {
    const alice = await EventStream.open(`${url}?contractId=1`, { headers: good });
    expect(await httpAnswer(`${url}?contractId=1`, { headers: good })).toMatchObject({ status: 403 });
    const bob = await EventStream.open(`${url}?contractId=1`, { headers: { authorization: 'Bearer key-b' } });
    const full = await httpAnswer(`${url}?contractId=1`, { headers: { authorization: 'Bearer key-b' } });
    expect(full).toMatchObject({ status: 503, body: { statusCode: 503 } });
    alice.close();
    bob.close();
    await waitFor('room', () => app.hub.stats().clients === 0);
  });

  it('answers 403 when a connect handler refuses, and nobody has been told of a connection', async () => {
    expect(await httpAnswer(`${url}?contractId=1&refuse`, { headers: good })).toMatchObject({ status: 403, body: { statusCode: 403 } });
    expect(app.hub.stats().clients).toBe(0);
  });

  it('runs each hook once, asks global guards, and authorises each channel by itself', async () => {
    const stream = await EventStream.open(`${url}?contractId=7&channel=private:a&channel=nowhere&channel=no%20name`, { headers: good });
    await waitFor('the answers', () => stream.ofType('error').length === 2 && stream.ofType('subscribed').length === 2);
    expect(app.hub.connections()).toMatchObject([{ user: 'alice', transport: 'sse', channels: ['contract:7', 'private:a'] }]);
    expect(stream.ofType('subscribed')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ channel: 'private:a', data: { for: 'alice' }, recoverable: false }),
        expect.objectContaining({ channel: 'contract:7' }),
      ]),
    );
    expect(stream.ofType('error').map(({ channel, data }) => [channel, data.code])).toEqual(
      expect.arrayContaining([
        ['nowhere', 'forbidden'],
        ['no name', 'invalid_channel'],
      ]),
    );
    stream.close();
    await waitFor('the disconnect hook', () => app.app.get(Contracts).seen.length === 2);
    expect(app.app.get(Contracts).seen).toEqual(['connect sse', 'disconnect sse']);
    const bob = await EventStream.open(`${url}?contractId=7&channel=private:a`, { headers: { authorization: 'Bearer key-b' } });
    expect(await bob.next('error')).toMatchObject({ channel: 'private:a', data: { code: 'forbidden' } });
    bob.close();
  });

  it('lets a page of an allowed origin read, and says so to caches', async () => {
    const stream = await EventStream.open(`${url}?contractId=1`, { headers: good });
    expect(stream.headers).toMatchObject({
      'access-control-allow-origin': good.origin,
      'access-control-allow-credentials': 'true',
    });
    expect(stream.headers.vary).toMatch(/\bOrigin\b/);
    stream.close();
  });
});

describe.each(PLATFORMS)('what an application sets up, over %s', (platform) => {
  const start = testApps();

  it("goes by the application's own CORS, global prefix and versioning", async () => {
    const { port } = await start({
      platform,
      realtime: { path: '/live', origins: '*' },
      prepare: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning();
        app.enableCors({ origin: 'https://own.example', credentials: false });
      },
    });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/live/events`, { headers: { origin: 'https://own.example' } });
    expect(stream.headers['access-control-allow-origin']).toBe('https://own.example');
    expect(stream.headers).not.toHaveProperty('access-control-allow-credentials');
    const prefixed = await EventStream.open(`http://127.0.0.1:${port}/api/live/events`);
    expect(await prefixed.next('connected')).toMatchObject({ data: { channels: [] } });
    prefixed.close();
    expect((await httpAnswer(`http://127.0.0.1:${port}/api/events`)).status).toBe(404);
    expect((await httpAnswer(`http://127.0.0.1:${port}/live/events`, { headers: { 'x-forwarded': 'a' }, method: 'POST' })).status).toBe(404);
    stream.close();
  });

  it('serves no streams with sse: false, and at the root and at odd paths where they lie there', async () => {
    const off = await start({ platform, realtime: { sse: false } });
    expect((await httpAnswer(`http://127.0.0.1:${off.port}/ws/events`)).status).toBe(404);
    for (const path of ['/', '/a+b(c)/']) {
      const app = await start({ platform, realtime: { path } });
      const stream = await EventStream.open(`http://127.0.0.1:${app.port}${path}events`);
      expect(await stream.next('connected')).toMatchObject({ data: { channels: [] } });
      stream.close();
    }
  });

  it('refuses more channels than a stream may have with 400', async () => {
    const { port } = await start({ platform, realtime: { channels: { '*': {} }, sse: { channels: 2 } } });
    const url = `http://127.0.0.1:${port}/ws/events?channel=a&channel=b`;
    expect(await httpAnswer(`${url}&channel=c`)).toMatchObject({ status: 400, body: { statusCode: 400 } });
    const stream = await EventStream.open(`${url}&channel=a`);
    await waitFor('both', () => stream.ofType('subscribed').length === 2);
    expect(stream.ofType('error')).toEqual([]);
    stream.close();
  });

  it('forgets a client that goes while a guard thinks', async () => {
    const asked = deferred();
    const answer = deferred<boolean>();
    const guard: CanActivate = {
      canActivate: () => {
        asked.resolve();
        return answer.promise;
      },
    };
    const { port, hub } = await start({ platform, realtime: { guards: [guard] } });
    const abort = new AbortController();
    const request = EventStream.open(`http://127.0.0.1:${port}/ws/events`, { signal: abort.signal });
    await asked.promise;
    abort.abort();
    await expect(request).rejects.toThrow(/abort/i);
    answer.resolve(true);
    const next = await EventStream.open(`http://127.0.0.1:${port}/ws/events`);
    await waitFor('the other to be forgotten', () => hub.stats().clients === 1);
    expect(hub.connections()).toHaveLength(1);
    next.close();
  });
});
