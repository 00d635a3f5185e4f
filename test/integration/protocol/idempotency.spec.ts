import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { apiKeys, RealtimeError, SubscribeChannel } from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { TestClient } from '../../support/test-client';
import { type Deferred, deferred, waitFor } from '../../support/wait-for';

@Injectable()
class Rooms {
  calls = 0;
  open: Deferred | undefined;
  fails = 0;

  @SubscribeChannel('*')
  async say(@MessageBody() body: unknown): Promise<unknown> {
    this.calls++;
    await this.open?.promise;
    if (this.fails-- > 0) throw new RealtimeError('conflict', 'not now');
    return body;
  }
}

describe.each(['kept', 'plain'])('an idempotencyKey on a publication, channel %s', (kind) => {
  let app: TestApp;
  let rooms: Rooms;
  let alice: TestClient;
  let bob: TestClient;
  let room = 0;
  let channel: string;

  const connect = (key: string): Promise<TestClient> =>
    TestClient.connect(`${app.url}/ws`, { headers: { authorization: `Bearer ${key}` } });

  beforeAll(async () => {
    app = await createApp({
      providers: [Rooms],
      realtime: {
        auth: { authenticator: apiKeys({ a: 'alice', b: 'bob' }) },
        channels: { 'kept:{name}': { history: { size: 10, ttl: '1m' } }, 'plain:{name}': {} },
      },
    });
    rooms = app.app.get(Rooms);
    [alice, bob] = await Promise.all([connect('a'), connect('b')]);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    channel = `${kind}:${room++}`;
    Object.assign(rooms, { calls: 0, fails: 0, open: undefined });
    await Promise.all([alice.subscribe(channel), bob.subscribe(channel)]);
  });
  const publish = (client: TestClient, idempotencyKey: string, data: unknown = 'hi'): ReturnType<TestClient['request']> =>
    client.request({ type: 'chat', channel, data, idempotencyKey });
  const received = async (client: TestClient): Promise<unknown[]> => {
    await client.settled();
    return client.ofType('chat').filter((frame) => frame.channel === channel).map(({ data }) => data);
  };

  it('publishes once, and gives the first ack again', async () => {
    const first = await publish(alice, 'k1');
    const second = await publish(alice, 'k1', 'changed');
    expect(first).toMatchObject({ type: 'ack', channel });
    expect('cursor' in first).toBe(kind === 'kept');
    expect({ ...second, id: 0, timestamp: 0 }).toEqual({ ...first, id: 0, timestamp: 0 });
    expect(rooms.calls).toBe(1);
    expect(await received(bob)).toEqual(['hi']);
  });

  it('does so on another connection of the user, after a reconnect', async () => {
    await publish(alice, 'k1');
    const again = await connect('a');
    await again.subscribe(channel);
    expect(await publish(again, 'k1')).toMatchObject({ type: 'ack' });
    expect(await received(bob)).toEqual(['hi']);
    await again.close();
  });

  it('does so for repeats that come while the first is under way', async () => {
    rooms.open = deferred();
    const again = await connect('a');
    await again.subscribe(channel);
    const repeats = [publish(alice, 'k1'), publish(again, 'k1')];
    await waitFor('the handler', () => rooms.calls > 0);
    rooms.open.resolve();
    const acks = await Promise.all(repeats);
    expect(acks.map(({ type, cursor }) => ({ type, cursor }))).toEqual([0, 1].map(() => ({ type: 'ack', cursor: acks[0]!.cursor })));
    expect(rooms.calls).toBe(1);
    expect(await received(bob)).toEqual(['hi']);
    await again.close();
  });

  it('is one’s own: another user, another channel or another key publishes', async () => {
    await publish(alice, 'k1', 1);
    await publish(bob, 'k1', 2);
    await publish(alice, 'k2', 3);
    expect(await received(bob)).toEqual([1, 2, 3]);
  });

  it('is free again after a failure', async () => {
    rooms.fails = 1;
    expect(await publish(alice, 'k1')).toMatchObject({ type: 'error', data: { code: 'conflict' } });
    expect(await publish(alice, 'k1')).toMatchObject({ type: 'ack' });
    expect(await received(bob)).toEqual(['hi']);
  });

  it('works for hub.publish too', async () => {
    const first = await app.hub.publish(channel, 1, { type: 'chat', idempotencyKey: 'order-7' });
    const [second, third] = await Promise.all([
      app.hub.publish(channel, 1, { type: 'chat', idempotencyKey: 'order-7' }),
      app.hub.publish(channel, 1, { type: 'chat', idempotencyKey: 'order-7' }),
    ]);
    expect(first.duplicate).toBeUndefined();
    expect(second).toEqual({ ...first, duplicate: true });
    expect(third).toEqual(second);
    expect(await received(bob)).toEqual([1]);
  });
});
