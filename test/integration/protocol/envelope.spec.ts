import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { BroadcastSender, OnMessage, SerializationError, SubscribeChannel } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Rooms {
  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }

  @OnMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }
}

const CHANNELS = { 'room:{name}': { history: { size: 10, ttl: '1m' }, presence: true } };
const CURSOR = expect.any(String);
const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.each([
  ['type', 'data'],
  ['event', 'data'],
  ['type', 'payload'],
  ['event', 'payload'],
  ['data', 'type'],
])('the envelope with the fields %j and %j', (type, data) => {
  const createApp = testApps();
  let app: TestApp;
  let client: TestClient;

  beforeEach(async () => {
    app = await createApp({ providers: [Rooms], realtime: { channels: CHANNELS, envelope: { type, data } } });
    client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
  });

  /** The first frame of a type, whatever its field is called. */
  const next = (name: string): Promise<Record<string, unknown>> =>
    client.take((frame) => (frame as unknown as Record<string, unknown>)[type] === name, name) as never;
  const send = (message: Record<string, unknown>): void => client.send(message);

  it('CHECKLIST 22: has them in everything that the server sends', async () => {
    const connected = await next('connected');
    expect(connected).toEqual({ [type]: 'connected', [data]: expect.objectContaining({ channels: [] }), timestamp: TIMESTAMP });
    const { connectionId } = connected[data] as { connectionId: string };

    send({ [type]: 'subscribe', id: 1, channel: 'room:a' });
    expect(await next('subscribed')).toEqual({ [type]: 'subscribed', id: 1, channel: 'room:a', recoverable: true, cursor: CURSOR, timestamp: TIMESTAMP });
    send({ [type]: 'chat', id: 2, channel: 'room:a', [data]: { text: 'hi' } });
    const chat = { [type]: 'chat', channel: 'room:a', [data]: { text: 'hi' }, from: connectionId, cursor: CURSOR, timestamp: TIMESTAMP };
    expect(await next('chat')).toEqual(chat);
    expect(await next('ack')).toEqual({ [type]: 'ack', id: 2, channel: 'room:a', cursor: CURSOR, timestamp: TIMESTAMP });
    send({ [type]: 'echo', id: 3, [data]: [1] });
    expect(await next('ack')).toEqual({ [type]: 'ack', id: 3, [data]: [1], timestamp: TIMESTAMP });

    send({ [type]: 'history', id: 4, channel: 'room:a' });
    expect(await next('history')).toEqual({
      [type]: 'history',
      id: 4,
      channel: 'room:a',
      [data]: { publications: [chat], cursor: CURSOR, complete: true },
      timestamp: TIMESTAMP,
    });
    send({ [type]: 'presence', id: 5, channel: 'room:a' });
    expect(await next('presence')).toMatchObject({ [data]: { count: 1 } });
    send({ [type]: 'nobody', id: 6 });
    expect(await next('error')).toMatchObject({ id: 6, [data]: { code: 'unknown_type' } });
    await app.hub.publish('room:a', 'from the server', { type: 'news' });
    expect(await next('news')).toEqual({ [type]: 'news', channel: 'room:a', [data]: 'from the server', cursor: CURSOR, timestamp: TIMESTAMP });
    await app.hub.broadcast('all', 1);
    expect(await next('all')).toEqual({ [type]: 'all', [data]: 1, timestamp: TIMESTAMP });
    await app.hub.sendToConnection(connectionId, 'direct', 2);
    expect(await next('direct')).toEqual({ [type]: 'direct', [data]: 2, timestamp: TIMESTAMP });
  });

  it('takes the channel’s name from its data field, and the type from no other', async () => {
    send({ [type]: 'subscribe', id: 1, [data]: 'room:a' });
    expect(await next('subscribed')).toMatchObject({ channel: 'room:a' });
    const wrong = type === 'type' ? 'event' : 'kind';
    send({ [wrong]: 'ping', id: 2 });
    expect(await next('error')).toMatchObject({ id: 2, [data]: { code: 'bad_request', message: expect.stringContaining(`"${type}"`) } });
  });

  it('replays and recovers publications with the same fields', async () => {
    await app.hub.publish('room:a', 1);
    send({ [type]: 'subscribe', channel: 'room:a', replay: 1 });
    expect(await next('message')).toEqual({ [type]: 'message', channel: 'room:a', [data]: 1, cursor: CURSOR, timestamp: TIMESTAMP });
  });
});

describe('what is sent', () => {
  const createApp = testApps();

  it('has no greeting with welcome: false, and everything else', async () => {
    const app = await createApp({ providers: [Rooms], realtime: { welcome: false, channels: CHANNELS } });
    const client = await TestClient.connect(`${app.url}/ws/a`, { greeted: false });
    expect(await client.next('subscribed')).toMatchObject({ channel: 'room:a' });
    expect((await client.settled()).map(({ type }: TestFrame) => type)).toEqual([]);
  });

  it('greets with the connection’s id, the user, the heartbeat in ms and the channels joined', async () => {
    const app = await createApp({
      providers: [Rooms],
      realtime: { channels: CHANNELS, heartbeat: { interval: '20s', timeout: 45_000 } },
    });
    const client = await TestClient.connect(`${app.url}/ws/a?room=b`, { greeted: false });
    const first = await client.take(() => true);
    const { id } = await waitFor('the connection', () => app.hub.connections()[0]);
    expect(first).toEqual({
      type: 'connected',
      data: { connectionId: id, user: null, heartbeat: { interval: 20_000, timeout: 45_000 }, channels: ['room:a', 'room:b'] },
      timestamp: TIMESTAMP,
    });
  });

  it.each([
    ['a cycle', () => { const a: Record<string, unknown> = {}; a['a'] = a; return a; }],
    ['a BigInt', () => ({ n: 1n })],
    ['a function', () => () => 1],
    ['a symbol', () => Symbol('s')],
    ['a toJSON that throws', () => ({ toJSON: () => { throw new Error('x'); } })],
  ])('CHECKLIST 22: %s is an error at the caller, and nothing is sent', async (_, make) => {
    const app = await createApp({ providers: [Rooms], realtime: { channels: CHANNELS } });
    const client = await TestClient.connect(`${app.url}/ws/a`);
    await client.next('subscribed');
    const { id } = app.hub.connections()[0]!;
    const calls = [
      () => app.hub.publish('room:a', make()),
      () => app.hub.broadcast('all', make()),
      () => app.hub.sendToConnection(id, 'direct', make()),
      () => app.hub.sendToUser('alice', 'direct', make()),
      () => app.app.get(BroadcastSender).broadcast('all', make()),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(SerializationError);
    await expect(calls[0]!()).rejects.toMatchObject({ type: 'message', channel: 'room:a', code: 'internal' });
    expect(await client.settled()).toEqual([]);
    expect((await app.hub.history('room:a')).publications).toEqual([]);
  });

  it('survives every kind of text', async () => {
    const app = await createApp({ providers: [Rooms] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const texts = ['', '\u0000\u001f', '\u2028\u2029', '"\\/', 'ünïcödé', '\u{1F600}', '\uD83D', '</script>', 'x'.repeat(60_000)];
    for (const text of texts) expect((await client.request({ type: 'echo', data: text })).data).toBe(text);
    const nested = JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) as unknown;
    expect((await client.request({ type: 'echo', data: nested })).data).toEqual(nested);
  });
});
