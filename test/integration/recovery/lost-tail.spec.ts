import { redisAdapter } from 'nestjs-realtime';
import { inStep, RedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const start = testApps();
const cleanup = useCleanup();
const ROOM = 'room:a';

const dataOf = (client: TestClient): unknown[] => client.ofType('message').map(({ data }) => data);

it('a fail-over that lost a tail is told to live clients by reset, and to those with its cursors by recovered: false', async () => {
  const master = cleanup(await RedisServer.start());
  const replica = cleanup(await RedisServer.start({ args: ['--replicaof', `127.0.0.1 ${master.port}`] }));
  const proxy = cleanup(await TcpProxy.start(master.port));
  const realtime = (): object => ({
    channels: { 'room:*': { history: { size: 100, ttl: '10m' } } },
    adapter: redisAdapter({ url: proxy.url, ...BRISK }),
  });
  const [first, second] = [await start({ realtime: realtime() }), await start({ realtime: realtime() })];
  const live = [await TestClient.connect(`${first.url}/ws`), await TestClient.connect(`${second.url}/ws`)];
  for (const client of live) await client.subscribe(ROOM);

  const kept: string[] = [];
  for (let n = 1; n <= 3; n++) kept.push((await first.hub.publish(ROOM, n)).cursor!);
  await inStep(master, replica);
  await replica.use((client) => client.replicaof('NO', 'ONE'));
  const lost: string[] = [];
  for (let n = 4; n <= 6; n++) lost.push((await first.hub.publish(ROOM, n)).cursor!);
  await waitFor('the tail', () => live.every((client) => dataOf(client).length === 6));

  proxy.retarget(replica.port);
  proxy.cut();
  await waitFor('the new master', () => first.hub.publish(ROOM, 'a').then(() => true, () => false));
  // Past the old top: the number alone would look like continuity.
  for (const data of ['b', 'c', 'd', 'e']) await second.hub.publish(ROOM, data);
  await waitFor('the news of the loss', () => live.every((client) => client.ofType('reset').length > 0));
  await second.hub.publish(ROOM, 'f');
  for (const client of live) {
    await waitFor('what comes after it', () => dataOf(client).includes('f'));
    const sinceReset = client.frames.slice(client.frames.findLastIndex(({ type }) => type === 'reset') + 1);
    const news = sinceReset.map(({ data }) => data as unknown);
    expect(news).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].slice(-news.length));
  }

  for (const cursor of lost) {
    const returning = await TestClient.connect(`${second.url}/ws`);
    expect(await returning.subscribe(ROOM, { cursor })).toMatchObject({ recoverable: true, recovered: false });
    expect(dataOf(returning)).toEqual([]);
    await returning.close();
  }
  const returning = await TestClient.connect(`${second.url}/ws`);
  expect(await returning.subscribe(ROOM, { cursor: kept.at(-1) })).toMatchObject({ recovered: true });
  await waitFor('what was missed', () => dataOf(returning).includes('f'));
  expect(dataOf(returning)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  await Promise.all([...live, returning].map((client) => client.close()));
});
