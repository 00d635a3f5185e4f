import { memoryAdapter, redisAdapter } from 'nestjs-realtime';
import type { AdapterFactory } from '../../../lib/adapter/adapter-factory';
import { RedisServer } from '../../support/redis-server';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const start = testApps();
let redis: RedisServer;
let prefixes = 0;
beforeAll(async () => void (redis = await RedisServer.start()));
afterAll(() => redis.stop());

const ADAPTERS: readonly [string, () => AdapterFactory][] = [
  ['in memory', () => memoryAdapter()],
  ['on Redis', () => redisAdapter({ url: redis.url, prefix: `p${(prefixes += 1)}` })],
];
const channels = {
  'room:*': { history: { size: 50, ttl: '10m' } },
  'brief:*': { history: { size: 50, ttl: '10m', maxAge: 150 } },
};

describe.each(ADAPTERS)('history %s', (_name, adapter) => {
  const run = (extra: object = {}) => start({ realtime: { channels, adapter: adapter(), ...extra } });

  it('is paged through both ways', async () => {
    const { hub } = await run();
    for (let n = 1; n <= 25; n++) await hub.publish('room:a', n);
    for (const reverse of [false, true]) {
      const seen: unknown[] = [];
      let after: string | undefined;
      for (let isComplete = false; !isComplete; ) {
        const page = await hub.history('room:a', { limit: 10, after, reverse });
        seen.push(...page.publications.map(({ data }) => data));
        after = page.publications.at(-1)?.cursor;
        isComplete = page.complete;
      }
      const all = Array.from({ length: 25 }, (_, index) => index + 1);
      expect(seen).toEqual(reverse ? all.toReversed() : all);
    }
  });

  it('is cleared for clients that come back too, while those that are there go on', async () => {
    const { hub, url } = await run();
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('room:a');
    const { cursor } = await hub.publish('room:a', 1);
    await hub.clearHistory('room:a');
    expect(await hub.history('room:a')).toMatchObject({ publications: [], complete: true });
    await hub.publish('room:a', 2);
    await waitFor('both', () => client.ofType('message').length === 2);
    expect(client.ofType('reset')).toEqual([]);
    const returning = await TestClient.connect(`${url}/ws`);
    expect(await returning.subscribe('room:a', { cursor })).toMatchObject({ recovered: false });
    await Promise.all([client.close(), returning.close()]);
  });

  it('no longer hands out what is older than maxAge', async () => {
    const { hub } = await run();
    await hub.publish('brief:a', 1);
    await waitFor('its end', async () => (await hub.history('brief:a')).publications.length === 0);
    await hub.publish('brief:a', 2);
    expect((await hub.history('brief:a')).publications.map(({ data }) => data)).toEqual([2]);
  });

  it('recovers what is within the bounds of a recovery, and claims nothing of more', async () => {
    const { hub, url } = await run({ recovery: { maxPublications: 3, maxBytes: 2000 } });
    const { cursor: first } = await hub.publish('room:a', 0);
    for (let n = 1; n <= 3; n++) await hub.publish('room:a', n);
    const within = await TestClient.connect(`${url}/ws`);
    expect(await within.subscribe('room:a', { cursor: first })).toMatchObject({ recovered: true });
    await waitFor('what was missed', () => within.ofType('message').length === 3);
    const replaying = await TestClient.connect(`${url}/ws`);
    await replaying.subscribe('room:a', { replay: 50 });
    await waitFor('the newest', () => replaying.ofType('message').some(({ data }) => data === 3));
    expect(replaying.ofType('message').map(({ data }) => data)).toEqual([1, 2, 3]);
    const { cursor: later } = await hub.publish('room:a', 4);
    const beyond = await TestClient.connect(`${url}/ws`);
    expect(await beyond.subscribe('room:a', { cursor: first })).toMatchObject({ recovered: false });
    await hub.publish('room:a', 'x'.repeat(2000));
    const tooLarge = await TestClient.connect(`${url}/ws`);
    expect(await tooLarge.subscribe('room:a', { cursor: later })).toMatchObject({ recovered: false });
    await Promise.all([within, beyond, tooLarge, replaying].map((client) => client.close()));
  });

  it('recovers a room that the server joins at the connect, as long as nothing has gone out on it', async () => {
    const { hub, url } = await run();
    const { cursor } = await hub.publish('room:lobby', 1);
    await hub.publish('room:lobby', 2);
    const client = await TestClient.connect(`${url}/ws/lobby`);
    await client.next('subscribed');
    expect(await client.subscribe('room:lobby', { cursor })).toMatchObject({ recovered: true, cursor });
    await hub.publish('room:lobby', 3);
    await waitFor('all', () => client.ofType('message').length === 2);
    expect(client.ofType('message').map(({ data }) => data)).toEqual([2, 3]);
    expect(await client.subscribe('room:lobby', { cursor })).toMatchObject({ recovered: false });
    expect((await client.settled()).filter(({ type }) => type === 'message')).toHaveLength(2);
    await client.close();
  });

  it('is published to once, when a publisher tries again with its key', async () => {
    const { hub, url } = await run();
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('room:a');
    const first = await hub.publish('room:a', 1, { idempotencyKey: 'order 1' });
    expect(await hub.publish('room:a', 1, { idempotencyKey: 'order 1' })).toEqual({ ...first, duplicate: true });
    await hub.publish('room:a', 2);
    await waitFor('the next', () => client.ofType('message').some(({ data }) => data === 2));
    expect(client.ofType('message').map(({ data }) => data)).toEqual([1, 2]);
    await client.close();
  });
});
