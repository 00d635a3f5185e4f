import type { Redis } from 'ioredis';
import { testApps } from '../../support/test-apps';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { add, figure, isReading, KEY, streamOptions } from './stream-app';

/** With what the stream holds written to disk, a restart keeps it. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

describe('a source whose Redis or stream fails', () => {
  const start = testApps();
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start({ args: DURABLE });
    redis = server.client();
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  async function subscribed(url: string): Promise<TestClient> {
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('feed:a');
    return client;
  }

  it('goes on after the last entry when its connection is killed, and misses nothing meanwhile', async () => {
    const app = await start(streamOptions(server));
    const client = await subscribed(app.url);
    await isReading(redis);
    await add(redis, 'feed:a', 1);
    await client.next('event');
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    for (const n of [2, 3]) await add(redis, 'feed:a', n);

    expect((await client.next('event')).data.n).toBe(2);
    expect((await client.next('event')).data.n).toBe(3);
    expect(figure(app, 'readErrors')).toBeGreaterThan(0);
    expect(client.ofType('reset')).toEqual([]);
    expect(app.hub.status().ready).toBe(true);
  });

  it('goes on when Redis is restarted', async () => {
    const app = await start(streamOptions(server));
    const client = await subscribed(app.url);
    await add(redis, 'feed:a', 1);
    await client.next('event');
    await server.restart();
    await server.use((writer) => add(writer, 'feed:a', 2));

    expect((await client.next('event')).data.n).toBe(2);
    expect(client.ofType('reset')).toEqual([]);
  });

  it('goes on when nothing came for as long as Redis waits', async () => {
    const app = await start(streamOptions(server));
    const client = await subscribed(app.url);
    await isReading(redis);
    const calls = async (): Promise<number> => Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    await redis.config('RESETSTAT');
    await waitFor('another XREAD', async () => (await calls()) > 0);
    await isReading(redis);
    await add(redis, 'feed:a', 1);

    expect((await client.next('event')).data.n).toBe(1);
    expect(figure(app, 'readErrors')).toBe(0);
  });

  it('does not claim that a client was continued whose place has been trimmed away', async () => {
    const { url } = await start(streamOptions(server));
    const first = await subscribed(url);
    await add(redis, 'feed:a', 1);
    const { cursor } = await first.next('event');
    await first.close();
    for (const n of [2, 3, 4]) await add(redis, 'feed:a', n);

    await redis.xtrim(KEY, 'MAXLEN', 4);
    const whole = await TestClient.connect(`${url}/ws`);
    expect(await whole.subscribe('feed:a', { cursor })).toMatchObject({ recovered: true });
    await whole.settled();
    expect(whole.ofType('event').map(({ data }) => data.n)).toEqual([2, 3, 4]);

    await redis.xtrim(KEY, 'MAXLEN', 3);
    const torn = await TestClient.connect(`${url}/ws`);
    expect(await torn.subscribe('feed:a', { cursor })).toMatchObject({ recovered: false });
    await torn.settled();
    expect(torn.ofType('event')).toEqual([]);
  });

  it('does not claim it either of the begin of a stream that has been trimmed since', async () => {
    const { url } = await start(streamOptions(server));
    const first = await TestClient.connect(`${url}/ws`);
    const { cursor } = await first.subscribe('feed:a');
    await add(redis, 'feed:a', 1);
    await first.next('event');
    const whole = await TestClient.connect(`${url}/ws`);
    expect(await whole.subscribe('feed:a', { cursor })).toMatchObject({ recovered: true });
    expect((await whole.next('event')).data.n).toBe(1);

    await add(redis, 'feed:a', 2);
    await redis.xtrim(KEY, 'MAXLEN', 1);
    const torn = await TestClient.connect(`${url}/ws`);
    expect(await torn.subscribe('feed:a', { cursor })).toMatchObject({ recovered: false });
  });

  it('continues in the middle of an entry that became several publications of one channel', async () => {
    const { url } = await start(streamOptions(server));
    const first = await subscribed(url);
    await add(redis, 'feed:a,feed:a,feed:b,feed:a', 1);
    const { cursor } = await first.next('event');

    const again = await TestClient.connect(`${url}/ws`);
    expect(await again.subscribe('feed:a', { cursor })).toMatchObject({ recovered: true });
    await again.settled();
    expect(again.ofType('event').map(({ data }) => data.part)).toEqual([1, 3]);
  });

  it('tells its subscribers when the stream was deleted, and goes on with the new one, whose ids are lower', async () => {
    const { url } = await start(streamOptions(server));
    const client = await subscribed(url);
    await add(redis, 'feed:a', 1);
    const { cursor } = await client.next('event');
    await redis.del(KEY);
    await add(redis, 'feed:a', 2, '5-1');

    await client.next('reset');
    await add(redis, 'feed:a', 3, '5-2');
    await waitFor('the next', () => client.ofType('event').some(({ data }) => data.n === 3));
    const other = await TestClient.connect(`${url}/ws`);
    expect(await other.subscribe('feed:a', { cursor })).toMatchObject({ recovered: false });
  });

  it('does not take an entry of a new stream for the one whose id it has', async () => {
    const { url } = await start(streamOptions(server));
    const client = await subscribed(url);
    await add(redis, 'feed:a', 1, '7-1');
    const { cursor } = await client.next('event');
    await redis.del(KEY);
    await add(redis, 'feed:a', 2, '7-1');

    const other = await TestClient.connect(`${url}/ws`);
    expect(await other.subscribe('feed:a', { cursor })).toMatchObject({ recovered: false });
  });

  it('stops the start when Redis is not there, unless it is to go on trying', async () => {
    const away = { url: 'redis://127.0.0.1:1' };
    await expect(start(streamOptions(server, away))).rejects.toMatchObject({ name: 'StreamSourceUnreachableError', key: KEY });
    const { hub } = await start(streamOptions(server, { ...away, lazy: true }));
    expect(hub.status()).toMatchObject({ ready: false, reason: expect.stringContaining('the Redis stream "events"') });
  });

  it('refuses publications to its channels, and lets nothing of it behind when the application closes', async () => {
    const app = await start(streamOptions(server));
    const client = await subscribed(app.url);
    await expect(app.hub.publish('feed:a', 'event', {})).rejects.toMatchObject({ name: 'SourceChannelError', channel: 'feed:a' });
    await expect(app.hub.clearHistory('feed:a')).rejects.toMatchObject({ name: 'SourceChannelError' });
    expect(await client.request({ type: 'publish', channel: 'feed:a', data: {} })).toMatchObject({ type: 'error' });
    await app.close();
    await isReading(redis, 0);
    expect((await redis.client('LIST')) as string).not.toContain('nestjs-realtime-source');
  });
});
