import type { Redis } from 'ioredis';
import { EventStream } from '../../support/event-stream';
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

  it('feeds and continues streams of Server-Sent Events too', async () => {
    const { port } = await start(streamOptions(server));
    const address = `http://127.0.0.1:${port}/ws/events?channel=feed:a`;
    const eventsOf = (stream: EventStream): unknown[] => stream.events.filter(({ frame }) => frame.type === 'event').map(({ frame }) => frame.data.n);
    const ending = new AbortController();
    const first = await EventStream.open(address, { signal: ending.signal });
    await waitFor('the subscription', () => first.events.some(({ frame }) => frame.type === 'subscribed'));
    await add(redis, 'feed:a', 1);
    await waitFor('the first', () => eventsOf(first).length === 1);
    const id = first.events.at(-1)?.id ?? '';
    ending.abort();
    await add(redis, 'feed:a', 2);

    const closing = new AbortController();
    const again = await EventStream.open(address, { headers: { 'Last-Event-ID': id }, signal: closing.signal });
    await waitFor('what was missed', () => eventsOf(again).length === 1);
    expect(again.events.find(({ frame }) => frame.type === 'subscribed')?.frame).toMatchObject({ recovered: true });
    expect(eventsOf(again)).toEqual([2]);
    closing.abort();
  });

  it('pages through the stream as the history of a channel, both ways', async () => {
    const { hub } = await start(streamOptions(server));
    for (let n = 0; n < 5; n++) await add(redis, n % 2 === 0 ? 'feed:a' : 'feed:b', n);
    const numbers = (page: { publications: { data?: unknown }[] }): unknown[] => page.publications.map(({ data }) => (data as { n: number }).n);
    const first = await hub.history('feed:a', { limit: 2 });
    const second = await hub.history('feed:a', { limit: 2, after: first.publications.at(-1)?.cursor });
    const back = await hub.history('feed:a', { limit: 2, reverse: true });

    expect([numbers(first), first.complete]).toEqual([[0, 2], false]);
    expect([numbers(second), second.complete]).toEqual([[4], true]);
    expect([numbers(back), back.complete]).toEqual([[4, 2], false]);
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
