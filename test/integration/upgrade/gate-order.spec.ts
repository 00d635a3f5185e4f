import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { IsNotEmpty } from 'class-validator';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { apiKeys, type AuthResult, HandshakeQuery, OnConnect, OnHandshake } from 'nestjs-realtime';
import type { AdapterFactory } from '../../../lib/adapter/adapter-factory';
import { memoryAdapter } from '../../../lib/adapter/memory/memory-adapter.factory';
import { createApp, createUnstartedApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { refusal, TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

@Injectable()
class BanGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<IncomingMessage>().headers['x-banned'] === undefined;
  }
}

class EventsQuery {
  @IsNotEmpty()
  contractId!: string;
}

@Injectable()
class Contracts {
  connected = 0;

  @OnHandshake()
  handshake(@HandshakeQuery() query: EventsQuery): string[] {
    return [`contract:${query.contractId}`];
  }

  @OnConnect()
  connect(): void {
    this.connected++;
  }
}

const good = { origin: 'https://good.example', authorization: 'Bearer key-a' };
const bad = { origin: 'https://evil.example', 'x-banned': 'yes' };

describe.each(PLATFORMS)('the order of the checks before an upgrade, over %s', (platform) => {
  let app: TestApp;
  let failures: AuthResult[];

  beforeEach(async () => {
    failures = [];
    app = await createApp({
      platform,
      providers: [BanGuard, Contracts],
      realtime: {
        guards: [BanGuard],
        origins: ['https://good.example'],
        limits: { connections: 1 },
        auth: {
          authenticator: apiKeys({ 'key-a': 'alice' }),
          onFailure: (_request, result) => failures.push(result),
        },
        channels: { 'contract:{id}': {} },
      },
    });
  });
  afterEach(() => app.close());

  const fill = (): Promise<TestClient> => TestClient.connect(`${app.url}/ws?contractId=1`, { headers: good });

  it('answers an unknown path with 404 before anything else', async () => {
    await fill();
    await app.hub.shutdown();
    const answer = await refusal(`${app.url}/elsewhere`, { headers: bad });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ statusCode: 404, error: 'Not Found', message: 'Cannot GET /elsewhere' });
  });

  it('CHECKLIST 12: a server that shuts down answers 503 before it looks at the origin', async () => {
    await app.hub.shutdown();
    const answer = await refusal(`${app.url}/ws`, { headers: bad });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(answer.body).toMatchObject({ statusCode: 503, error: 'Service Unavailable' });
  });

  it('CHECKLIST 6: an origin that is not allowed is refused with 403 before limit and authentication', async () => {
    await fill();
    const answer = await refusal(`${app.url}/ws`, { headers: bad });
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({ statusCode: 403, error: 'Forbidden', message: 'Origin not allowed' });
    expect(failures).toEqual([]);
  });

  it('answers 503 at the connection limit before it looks at credentials', async () => {
    await fill();
    const answer = await refusal(`${app.url}/ws`, { headers: { ...bad, origin: good.origin } });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(answer.body).toMatchObject({ statusCode: 503, error: 'Service Unavailable' });
    expect(failures).toEqual([]);
  });

  it('has room again when a connection has ended', async () => {
    const first = await fill();
    await first.close();
    await waitFor('the connection to end', () => app.hub.stats().clients === 0);
    await fill();
    expect(app.hub.stats().clients).toBe(1);
  });

  it('answers missing credentials with 401 before a guard says 403', async () => {
    const answer = await refusal(`${app.url}/ws`, { headers: { ...bad, origin: good.origin } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.body).toEqual({ statusCode: 401, message: 'Unauthorized' });
    expect(failures).toHaveLength(1);
  });

  it('answers a guard that says no with 403 before the handshake is looked at', async () => {
    const answer = await refusal(`${app.url}/ws`, { headers: { ...good, 'x-banned': 'yes' } });
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({ statusCode: 403, error: 'Forbidden', message: 'Forbidden resource' });
  });

  it('CHECKLIST 5: a missing required parameter is answered with 400 and no upgrade', async () => {
    const answer = await refusal(`${app.url}/ws`, { headers: good });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toMatchObject({
      statusCode: 400,
      error: 'Bad Request',
      message: ['contractId should not be empty'],
    });
    expect(app.app.get(Contracts).connected).toBe(0);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('lets a request that passes every check in', async () => {
    const client = await TestClient.connect(`${app.url}/ws?contractId=7`, { headers: good });
    expect(app.hub.connections()).toMatchObject([{ user: 'alice', channels: ['contract:7'] }]);
    await client.close();
  });
});

describe.each(PLATFORMS)('an application that has not started, over %s', (platform) => {
  it('CHECKLIST 12: answers 503 until the hub runs, and upgrades from then on', async () => {
    const started = deferred();
    const slowToStart: AdapterFactory = {
      create: (context) => {
        const adapter = memoryAdapter().create(context);
        const start = adapter.start.bind(adapter);
        adapter.start = async (receiver) => {
          await started.promise;
          await start(receiver);
        };
        return adapter;
      },
    };
    const app = await createUnstartedApp({ platform, realtime: { origins: [], adapter: slowToStart } });
    const starting = app.init();
    const server = app.getHttpServer();
    // As a platform does it that opens the port before the application is ready.
    await waitFor('the upgrade listener', () => server.listenerCount('upgrade') > 0);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;

    const answer = await refusal(url, { headers: { origin: 'https://evil.example' } });
    expect(answer).toMatchObject({ status: 503, body: { statusCode: 503, message: 'The server is starting' } });
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);

    started.resolve();
    await starting;
    const client = await TestClient.connect(url);
    await client.close();
    await app.close();
  });
});
