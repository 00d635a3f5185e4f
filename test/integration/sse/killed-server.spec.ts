import { redisAdapter } from 'nestjs-realtime';
import { ChildApp } from '../../support/child-app';
import { PLATFORMS } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { RedisServer } from '../../support/redis-server';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';

describe.each(PLATFORMS)('a server that is killed under an event stream, over %s', (platform) => {
  const start = testApps();
  let redis: RedisServer;
  let child: ChildApp | undefined;

  beforeEach(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await child?.kill();
    await redis.stop();
  });

  it('loses nothing: another instance continues from the id of the last event', async () => {
    const { port, hub } = await start({
      platform,
      realtime: { adapter: redisAdapter({ url: redis.url }), channels: { 'kept:{name}': { history: { size: 100, ttl: '1m' } } } },
    });
    child = ChildApp.start('sse-app', platform, redis.url);
    const path = '/ws/events?channel=kept:a&channel=kept:b';
    const first = await EventStream.open(`http://127.0.0.1:${await child.port()}${path}`);
    await waitFor('both channels', () => first.ofType('subscribed').length === 2);
    const publish = async (n: number): Promise<void> => {
      await hub.publish('kept:a', n, { type: 'n' });
      await hub.publish('kept:b', n, { type: 'n' });
    };
    for (let n = 1; n <= 3; n++) await publish(n);
    await waitFor('the first', () => first.ofType('n').length === 6);
    await child.kill();
    await first.ended;
    for (let n = 4; n <= 6; n++) await publish(n);

    const later = await EventStream.open(`http://127.0.0.1:${port}${path}`, { headers: { 'Last-Event-ID': first.lastEventId! } });
    await waitFor('the rest', () => later.ofType('n').length === 6);
    await publish(7);
    await waitFor('the live ones', () => later.ofType('n').length === 8);
    expect(later.ofType('subscribed').map(({ recovered }) => recovered)).toEqual([true, true]);
    for (const name of ['kept:a', 'kept:b']) {
      const got = later.ofType('n').filter(({ channel }) => channel === name);
      expect(got.map(({ data }) => data as number)).toEqual([4, 5, 6, 7]);
    }
    later.close();
  });

  it('ends the stream when the history cannot be read, so that a browser comes again', async () => {
    const { port } = await start({
      platform,
      realtime: {
        adapter: redisAdapter({ url: redis.url, connectTimeout: 500, commandTimeout: 500 }),
        channels: { 'kept:{name}': { history: { size: 100, ttl: '1m' } } },
      },
    });
    await redis.kill();
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=kept:a`);
    await stream.ended;
    expect(stream.frames.map(({ type }) => type)).toEqual(['connected', 'error', 'disconnected']);
    expect(stream.ofType('error')).toMatchObject([{ channel: 'kept:a', data: { code: 'unavailable' } }]);
    expect(stream.frames.at(-1)).toMatchObject({ data: { code: 4010 } });
  });
});
