import { testApps } from '../../support/test-apps';
import { type RedisServer, RedisClusterServers } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { clusterSlot } from '../../../lib/adapter/redis/connection/cluster-slot';
import { add, KEY, streamOptions } from './stream-app';

describe('a source in a Redis Cluster', () => {
  const start = testApps();
  let cluster: RedisClusterServers;
  let owner: RedisServer;

  beforeAll(async () => {
    cluster = await RedisClusterServers.start();
    owner = await cluster.ownerOf(clusterSlot(KEY));
  }, 30_000);

  afterAll(() => cluster?.stop());

  it('reads from the master that has the stream, and from the next one when it has moved', async () => {
    const { url } = await start(streamOptions(owner, { url: undefined, cluster: { nodes: cluster.nodes } }));
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('feed:a');
    await owner.use((redis) => add(redis, 'feed:a', 1));
    const { cursor } = await client.next('event');

    const next = cluster.masters.find((master) => master !== owner)!;
    await cluster.moveSlot(clusterSlot(KEY), owner, next);
    await next.use((redis) => add(redis, 'feed:a', 2));
    expect((await client.next('event')).data.n).toBe(2);

    const again = await TestClient.connect(`${url}/ws`);
    expect(await again.subscribe('feed:a', { cursor })).toMatchObject({ recovered: true });
    expect((await again.next('event')).data.n).toBe(2);
  });
});
