import type { Redis } from 'ioredis';
import { testApps } from '../../support/test-apps';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { add, connectionsOf, figure, isReading, KEY, streamOptions } from './stream-app';

describe('a Redis stream as the source of channels', () => {
  const start = testApps();
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = server.client();
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  it('gives each entry to the subscribers of its channels, with a cursor', async () => {
    const { url } = await start(streamOptions(server));
    const [a, b] = await Promise.all([TestClient.connect(`${url}/ws`), TestClient.connect(`${url}/ws`)]);
    const joined = await a.subscribe('feed:a');
    await b.subscribe('feed:b');

    const id = await add(redis, 'feed:a,feed:b,feed:nobody', 1);
    await add(redis, 'feed:b', 2);

    expect(joined).toMatchObject({ recoverable: true });
    expect(await a.next('event')).toMatchObject({ channel: 'feed:a', data: { id, part: 0, n: 1 }, cursor: expect.any(String) });
    expect(await b.next('event')).toMatchObject({ channel: 'feed:b', data: { id, part: 1, n: 1 } });
    expect(await b.next('event')).toMatchObject({ data: { n: 2 } });
    expect((await a.settled()).filter(({ type }) => type === 'event')).toEqual([]);
  });

  it('continues a client from the stream, exactly once and in order, joined with what is live', async () => {
    const { url } = await start(streamOptions(server));
    const first = await TestClient.connect(`${url}/ws`);
    await first.subscribe('feed:a');
    await add(redis, 'feed:a', 1);
    const { cursor } = await first.next('event');
    await first.close();
    await add(redis, 'feed:b', 0);
    for (const n of [2, 3]) await add(redis, 'feed:a', n);

    const again = await TestClient.connect(`${url}/ws`);
    const joined = await again.subscribe('feed:a', { cursor });
    await add(redis, 'feed:a', 4);

    expect(joined).toMatchObject({ recovered: true });
    await waitFor('the last', () => again.ofType('event').length >= 3);
    await again.settled();
    expect(again.ofType('event').map(({ data }) => data.n)).toEqual([2, 3, 4]);
  });

  it('waits with one connection, however many clients there are', async () => {
    const { url } = await start(streamOptions(server));
    const clients = await Promise.all(Array.from({ length: 50 }, () => TestClient.connect(`${url}/ws`)));
    await Promise.all(clients.map((client, index) => client.subscribe(`feed:${index % 10}`)));
    await isReading(redis);

    expect(await connectionsOf(redis, 'nestjs-realtime-source')).toHaveLength(1);
    expect(await connectionsOf(redis, 'nestjs-realtime-source-reads')).toHaveLength(1);

    await add(redis, Array.from({ length: 10 }, (_, i) => `feed:${i}`).join(','), 7);
    const events = await Promise.all(clients.map((client) => client.next('event')));
    expect(events.map(({ data }) => data.n)).toEqual(Array.from({ length: 50 }, () => 7));
  });

  it('gives every entry to each of two instances', async () => {
    const apps = await Promise.all([start(streamOptions(server)), start(streamOptions(server))]);
    const clients = await Promise.all(apps.map(({ url }) => TestClient.connect(`${url}/ws`)));
    for (const client of clients) await client.subscribe('feed:a');
    for (let n = 0; n < 5; n++) await add(redis, 'feed:a', n);

    for (const client of clients) {
      await waitFor('five', () => client.ofType('event').length >= 5);
      await client.settled();
      expect(client.ofType('event').map(({ data }) => data.n)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('counts what is malformed, skips it and goes on', async () => {
    const app = await start(streamOptions(server));
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('feed:a');
    await redis.xadd(KEY, '*', 'nothing', 'useful');
    await add(redis, 'other:a', 1);
    await add(redis, 'feed:a', 2);

    expect(await client.next('event')).toMatchObject({ data: { n: 2 } });
    expect(figure(app, 'skipped')).toBe(2);
    expect(figure(app, 'entries')).toBe(3);
  });
});
