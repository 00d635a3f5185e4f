import { HubService, redisAdapter } from 'nestjs-realtime';
import { decodeCursor } from '../../../lib/protocol/cursor';
import { RedisServer } from '../../support/redis-server';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const start = testApps();
const cleanup = useCleanup();
const ROOM = 'room:a';
const POSITION = `realtime:position:{realtime:channel:${ROOM}}`;
const STREAM = `realtime:history:{realtime:channel:${ROOM}}`;

const dataOf = (client: TestClient): unknown[] => client.ofType('message').map(({ data }) => data);

async function startTwo(): Promise<{ redis: RedisServer; hub: HubService; url: string; clients: TestClient[] }> {
  const redis = cleanup(await RedisServer.start());
  const realtime = (): object => ({
    channels: { 'room:*': { history: { size: 100, ttl: '10m' } } },
    adapter: redisAdapter({ url: redis.url, ...BRISK }),
  });
  const apps = [await start({ realtime: realtime() }), await start({ realtime: realtime() })];
  const clients = await Promise.all(apps.map(({ url }) => TestClient.connect(`${url}/ws`)));
  for (const client of clients) {
    cleanup({ stop: () => client.close() });
    await client.subscribe(ROOM);
  }
  return { redis, hub: apps[0]!.hub, url: apps[0]!.url, clients };
}

it('a publication whose outcome stayed unknown is there once after a retry with its key, which is told the truth', async () => {
  const { redis, hub, clients } = await startTwo();
  await hub.publish(ROOM, 'before');
  redis.pause();
  const failed = await hub.publish(ROOM, 'order', { idempotencyKey: 'k' }).catch((error: unknown) => error);
  redis.resume();
  expect(failed).toMatchObject({ name: 'AdapterUnavailableError', outcome: 'unknown' });
  const retry = await waitFor('Redis', () => hub.publish(ROOM, 'order', { idempotencyKey: 'k' }).catch(() => undefined));
  await waitFor('the end', () => hub.publish(ROOM, 'after').then(() => true, () => false));
  for (const client of clients) {
    await waitFor('all', () => dataOf(client).includes('after'));
    expect(dataOf(client).filter((data) => data !== 'after')).toEqual(['before', 'order']);
    expect(client.ofType('message')[1]!.cursor).toBe(retry.cursor);
  }
});

it('a publication that no instance was sent is noticed on an idle channel, and fetched before anything newer', async () => {
  const { redis, hub, clients } = await startTwo();
  const { cursor } = await hub.publish(ROOM, 1);
  const { tag } = decodeCursor(cursor)!;
  // As if the way to the subscribers had swallowed it.
  const payload = JSON.stringify({ type: 'message', channel: ROOM, data: 2 });
  await redis.use((client) =>
    client.multi().xadd(STREAM, '2-0', 'a', Date.now(), 'b', tag, 't', 'swallowed', 'p', payload).hset(POSITION, 'o', 2, 't', 'swallowed').exec(),
  );
  for (const client of clients) await waitFor('the swallowed one', () => dataOf(client).length === 2);
  await hub.publish(ROOM, 3);
  for (const client of clients) {
    await waitFor('the next one', () => dataOf(client).length === 3);
    expect(dataOf(client)).toEqual([1, 2, 3]);
    expect(client.ofType('reset')).toEqual([]);
  }
});

it('another life of an idle channel is noticed on every instance, and told by reset', async () => {
  const { redis, hub, clients } = await startTwo();
  await hub.publish(ROOM, 1);
  await redis.use((client) => client.multi().del(STREAM).hset(POSITION, 'e', 'another', 'o', 0, 't', '').exec());
  for (const client of clients) {
    const reset = await waitFor('the reset', () => client.ofType('reset')[0]);
    expect(decodeCursor(reset.cursor)).toEqual({ epoch: 'another', offset: 0, tag: '' });
  }
});

it('instances that lost their connections catch up, and their clients notice nothing', async () => {
  const { redis, hub, clients } = await startTwo();
  await hub.publish(ROOM, 1);
  await redis.use((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  for (let n = 2; n <= 20; n++) await hub.publish(ROOM, n);
  for (const client of clients) {
    await waitFor('everything', () => dataOf(client).length === 20);
    expect(dataOf(client)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(client.ofType('reset')).toEqual([]);
  }
});

it('a key whose taking stayed unknown is free for a retry as soon as Redis is back', async () => {
  const redis = cleanup(await RedisServer.start());
  const adapter = redisAdapter({ url: redis.url, ...BRISK, commandTimeout: 300 });
  const { hub } = await start({ realtime: { channels: { plain: {} }, adapter } });
  redis.pause();
  const failed = await hub.publish('plain', 'order', { idempotencyKey: 'k' }).catch((error: unknown) => error);
  redis.resume();
  expect(failed).toMatchObject({ name: 'AdapterUnavailableError', outcome: 'unknown' });
  // With the key taken, this would be refused time after time.
  const publish = (): Promise<unknown> => hub.publish('plain', 'order', { idempotencyKey: 'k' }).catch(() => undefined);
  expect([await waitFor('Redis', publish), await waitFor('Redis', publish)]).toEqual([{ delivered: 'cluster' }, { delivered: 'cluster', duplicate: true }]);
});

describe.each([
  ['fields of its own', ['note', 'by hand']],
  ['a payload that is no JSON', ['a', '1', 'b', 'TAG', 't', 'foreign', 'p', 'by hand']],
  ['exclusions that are no JSON', ['a', '1', 'b', 'TAG', 't', 'foreign', 'p', '{"type":"message"}', 'x', '[by hand']],
])('something with %s in the middle of a history, which somebody else wrote', (_, fields) => {
  it('is a hole: nobody is sent it or told that he missed nothing, and what follows goes on', async () => {
    const { redis, hub, url, clients } = await startTwo();
    const before = (await hub.publish(ROOM, 1)).cursor!;
    const { tag } = decodeCursor(before)!;
    const entry = fields.map((field) => field.replace('TAG', tag));
    await redis.use((client) => client.multi().xadd(STREAM, '2-0', ...entry).hset(POSITION, 'o', 2, 't', 'foreign').exec());
    for (const client of clients) {
      const reset = await waitFor('the reset', () => client.ofType('reset')[0]);
      expect(decodeCursor(reset.cursor)).toMatchObject({ offset: 2, tag: 'foreign' });
    }
    const after = (await hub.publish(ROOM, 3)).cursor!;
    await hub.publish(ROOM, 4);
    for (const client of clients) {
      await waitFor('what follows', () => dataOf(client).length === 3);
      expect(dataOf(client)).toEqual([1, 3, 4]);
      expect(client.ofType('reset')).toHaveLength(1);
    }

    for (const [cursor, recovered, missed] of [[before, false, []], [after, true, [4]]] as const) {
      const returning = await TestClient.connect(`${url}/ws`);
      cleanup({ stop: () => returning.close() });
      expect(await returning.subscribe(ROOM, { cursor })).toMatchObject({ recovered });
      await waitFor('what was missed', () => dataOf(returning).length === missed.length);
      expect(dataOf(returning)).toEqual(missed);
    }
    const page = await hub.history(ROOM, {});
    expect(page.publications.map(({ data }) => data)).toEqual([1, 3, 4]);
    expect(page.complete).toBe(true);
    expect((await hub.history(ROOM, { limit: 1 })).complete).toBe(false);
  });
});

it('something that somebody else wrote ahead of a history does not keep it from going on', async () => {
  const { redis, hub, url, clients } = await startTwo();
  const before = (await hub.publish(ROOM, 1)).cursor!;
  await redis.use((client) => client.xadd(STREAM, '1000-0', 'note', 'by hand'));
  const { cursor } = await hub.publish(ROOM, 2);
  await hub.publish(ROOM, 3);
  for (const client of clients) await waitFor('what follows', () => dataOf(client).length === 3);
  expect(clients.map(dataOf)).toEqual([[1, 2, 3], [1, 2, 3]]);
  expect(clients.flatMap((client) => client.ofType('reset'))).toEqual([]);
  expect((await hub.history(ROOM, {})).publications.map(({ data }) => data)).toEqual([2, 3]);
  for (const [from, missed] of [[before, [2, 3]], [cursor, [3]]] as const) {
    const returning = await TestClient.connect(`${url}/ws`);
    cleanup({ stop: () => returning.close() });
    expect(await returning.subscribe(ROOM, { cursor: from })).toMatchObject({ recovered: true });
    await waitFor('what was missed', () => dataOf(returning).length === missed.length);
    expect(dataOf(returning)).toEqual(missed);
  }
});
