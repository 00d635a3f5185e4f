import { redisAdapter } from 'nestjs-realtime';
import { RedisServer } from '../../support/redis-server';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { silenceLogs, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const start = testApps();
const cleanup = useCleanup();

const CLIENTS = 500;
const MISSED = 100;
const ROOM = 'room:a';
const channels = { 'room:*': { history: { size: 1000, ttl: '10m' } }, ticker: {} };

/** Scripts that Redis has run. */
function scriptCalls(redis: RedisServer): Promise<number> {
  return redis.use(async (client) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0));
}

it('500 clients that are back at once share few reads, get exactly what each missed, and live traffic goes on', async () => {
  const redis = cleanup(await RedisServer.start());
  const { hub, url } = await start({ realtime: { channels, adapter: redisAdapter({ url: redis.url }), origins: '*' } });
  const cursors: string[] = [];
  for (let n = 0; n <= MISSED; n++) cursors.push((await hub.publish(ROOM, n)).cursor!);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => TestClient.connect(`${url}/ws`)));
  const bystander = await TestClient.connect(`${url}/ws`);
  await bystander.subscribe('ticker');

  const before = await scriptCalls(redis);
  for (const [index, client] of clients.entries()) {
    client.send({ type: 'subscribe', channel: ROOM, cursor: cursors[index % (MISSED + 1)] });
  }
  let ticks = 0;
  const areAllBack = (): boolean => clients.every(({ frames }) => frames.at(-1)?.cursor === cursors.at(-1));
  await waitFor('all clients to be up to date', async () => {
    await hub.publish('ticker', ++ticks);
    return areAllBack();
  });
  const reads = (await scriptCalls(redis)) - before;

  for (const [index, { frames }] of clients.entries()) {
    const [subscribed, ...missed] = frames;
    expect(subscribed).toMatchObject({ type: 'subscribed', recovered: true });
    const from = (index % (MISSED + 1)) + 1;
    expect(missed.map(({ data }) => data)).toEqual(Array.from({ length: MISSED + 1 - from }, (_, i) => from + i));
  }
  // One for the first, one for all who came during it; some more where the sockets are read over several turns.
  expect(reads).toBeLessThan(CLIENTS / 10);
  await waitFor('every tick', () => bystander.ofType('message').length === ticks);
  await Promise.all([...clients, bystander].map((client) => client.close()));
});
