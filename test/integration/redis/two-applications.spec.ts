import { apiKeys, redisAdapter } from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';

const KEYS = { 'key-a': 'alice', 'key-b': 'bob' };

describe('two applications over one Redis', () => {
  let redis: RedisServer;
  let apps: TestApp[];
  let alice: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const start = (): Promise<TestApp> =>
      createApp({
        realtime: {
          adapter: redisAdapter({ url: redis.url }),
          auth: { authenticator: apiKeys(KEYS) },
          channels: { 'live:{name}': {}, 'room:{name}': { history: { size: 10, ttl: '1m' }, presence: true } },
        },
      });
    apps = [await start(), await start()];
    const connect = (app: TestApp, key: string): Promise<TestClient> =>
      TestClient.connect(`${app.url}/ws`, { headers: { authorization: `Bearer ${key}` } });
    alice = await connect(apps[0]!, 'key-a');
    bob = await connect(apps[1]!, 'key-b');
    await alice.subscribe('live:x');
    await bob.subscribe('live:x');
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.kill();
  });

  /** What both have got by now, after something later has come through on the same way. */
  async function received(type: string): Promise<unknown[][]> {
    await apps[0]!.hub.broadcast('flush', type);
    const flushed = (client: TestClient): Promise<unknown> => client.take((frame) => frame.type === 'flush' && frame.data === type);
    await Promise.all([flushed(alice), flushed(bob)]);
    return [alice, bob].map((client) => client.ofType(type).map(({ data }) => data as unknown));
  }

  it('deliver a publication to the clients of both exactly once, the own ones too', async () => {
    expect(await apps[0]!.hub.publish('live:x', 1, { type: 'live' })).toEqual({ delivered: 'cluster' });
    expect((await bob.take((frame) => frame.type === 'live')).data).toBe(1);
    await apps[0]!.hub.publish('live:x', 2, { type: 'twice' });
    expect(await received('twice')).toEqual([[2], [2]]);
  });

  it('keep one history, in one order, that a client recovers from on either', async () => {
    const { cursor } = await alice.subscribe('room:y');
    for (let i = 0; i < 3; i++) await apps[i % 2]!.hub.publish('room:y', i, { type: 'kept' });
    for (let i = 0; i < 3; i++) expect((await alice.next('kept')).data).toBe(i);
    const again = await bob.subscribe('room:y', { cursor });
    expect(again).toMatchObject({ recovered: true, cursor });
    for (let i = 0; i < 3; i++) expect((await bob.next('kept')).data).toBe(i);
  });

  it('know the members of both', async () => {
    await alice.subscribe('room:z');
    await bob.subscribe('room:z');
    const join = await alice.take((frame) => frame.type === 'join' && frame.channel === 'room:z');
    expect(join.data).toMatchObject({ user: 'bob' });
    expect((await alice.request({ type: 'presence', channel: 'room:z' })).data).toMatchObject({ count: 2, users: 2 });
  });

  it('send to a user, subscribe and disconnect across', async () => {
    await apps[0]!.hub.sendToUser('bob', 'notice', 'hi');
    expect((await bob.next('notice')).data).toBe('hi');
    await apps[0]!.hub.subscribe({ userId: 'bob' }, 'live:given');
    expect(await bob.take((frame) => frame.channel === 'live:given')).toMatchObject({ type: 'subscribed' });
    await apps[0]!.hub.disconnect({ userId: 'bob' }, { reason: 'bye' });
    expect(await bob.closed).toEqual({ code: 4503, reason: 'bye' });
  });
});
