import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { anyOf, apiKeys, BearerTokenGuard, OnMessage, QueryTokenGuard, SubscribeChannel } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { refusal, TestClient } from '../../support/test-client';

@Injectable()
class OnlyFirst implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<IncomingMessage>().headers['x-app'] === 'first';
  }
}

@Injectable()
class FirstHandlers {
  @OnMessage('who')
  who(): string {
    return 'first';
  }

  @SubscribeChannel('only-first')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

@Injectable()
class SecondHandlers {
  @OnMessage('who')
  who(): string {
    return 'second';
  }
}

/** One guard class in both, as modules that applications share have it. */
const EitherGuard = anyOf(BearerTokenGuard, QueryTokenGuard);

describe.each(PLATFORMS)('two applications in one process, over %s', (platform) => {
  let first: TestApp;
  let second: TestApp;
  beforeEach(async () => {
    first = await createApp({
      platform,
      providers: [FirstHandlers, OnlyFirst],
      realtime: {
        guards: [EitherGuard, OnlyFirst],
        auth: { authenticator: apiKeys({ one: 'alice' }) },
        channels: { shared: {} },
        limits: { connections: 1 },
        envelope: { type: 'event' },
      },
    });
    second = await createApp({
      platform,
      providers: [SecondHandlers],
      realtime: {
        guards: [EitherGuard],
        auth: { authenticator: apiKeys({ two: 'alice' }) },
        channels: { shared: {} },
        roomChannel: 'chat:{room}',
      },
    });
  });
  afterEach(async () => {
    await Promise.all([first.close(), second.close()]);
  });

  const inFirst = (): Promise<TestClient> =>
    TestClient.connect(`${first.url}/ws?token=one`, { headers: { 'x-app': 'first' }, greeted: false });
  const inSecond = (): Promise<TestClient> => TestClient.connect(`${second.url}/ws?token=two`);

  it('do not share credentials, guards or limits', async () => {
    expect((await refusal(`${second.url}/ws?token=one`)).status).toBe(401);
    expect((await refusal(`${first.url}/ws?token=two`, { headers: { 'x-app': 'first' } })).status).toBe(401);
    expect((await refusal(`${first.url}/ws?token=one`)).status).toBe(403);
    await inFirst();
    expect((await refusal(`${first.url}/ws?token=one`, { headers: { 'x-app': 'first' } })).status).toBe(503);
    await Promise.all([inSecond(), inSecond()]);
    expect([first.hub.stats().clients, second.hub.stats().clients]).toEqual([1, 2]);
  });

  it('do not share handlers, envelopes or declared channels', async () => {
    const one = await inFirst();
    const two = await inSecond();
    one.send({ event: 'who', id: 1 });
    const answer = await one.take((frame) => frame.id === 1);
    expect(answer).toMatchObject({ event: 'ack', data: 'first' });
    expect(await two.request({ type: 'who' })).toMatchObject({ type: 'ack', data: 'second' });
    const refused = await two.request({ type: 'subscribe', channel: 'only-first' });
    expect(refused).toMatchObject({ type: 'error', data: { code: 'forbidden' } });
  });

  it('do not hear each other', async () => {
    const one = await inFirst();
    const two = await inSecond();
    one.send({ event: 'subscribe', channel: 'shared', id: 1 });
    await one.take((frame) => frame.id === 1);
    await two.subscribe('shared');
    await first.hub.publish('shared', 'to first');
    await first.hub.broadcast('all', 'of first');
    await first.hub.sendToUser('alice', 'notice', 'of first');
    await second.hub.publish('shared', 'to second');
    expect((await two.settled()).map(({ data }) => data as unknown)).not.toContainEqual(expect.stringMatching(/first/));
    expect(two.frames).toContainEqual(expect.objectContaining({ data: 'to second' }));
    await one.take((frame) => frame.data === 'of first');
    expect(one.frames).not.toContainEqual(expect.objectContaining({ data: 'to second' }));
    expect([first.hub.channels(), second.hub.channels()]).toEqual([
      [{ name: 'shared', subscribers: 1 }],
      [{ name: 'shared', subscribers: 1 }],
    ]);
  });

  it('end on their own', async () => {
    const one = await inFirst();
    const two = await inSecond();
    await first.close();
    expect(await one.closed).toMatchObject({ code: 1001 });
    expect(await two.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    expect((await refusal(`${second.url}/elsewhere`)).status).toBe(404);
    await expect(second.hub.broadcast('still', 'here')).resolves.toMatchObject({ delivered: 'cluster' });
  });
});
