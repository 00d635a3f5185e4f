import { randomBytes } from 'node:crypto';
import { redisAdapter } from '../../../lib/adapter/redis/redis-adapter.factory';
import type { RedisAdapterOptions } from '../../../lib/adapter/redis/redis-adapter.options';
import { RedisClusterServers, RedisServer } from '../../support/redis-server';
import { type AdapterNode, describeHubAdapter, RecordingReceiver } from './adapter-conformance';

async function startNodes(count: number, options: () => RedisAdapterOptions): Promise<AdapterNode[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const context = { instanceId: randomBytes(16).toString('hex'), resolve: () => undefined as never };
      const adapter = redisAdapter(options()).create(context);
      const receiver = new RecordingReceiver();
      await adapter.start(receiver);
      return { adapter, receiver };
    }),
  );
}

describe('on a single Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await RedisServer.start()));
  afterAll(() => redis.stop());

  describeHubAdapter('Redis', 3, (nodes) => startNodes(nodes, () => ({ url: redis.url })));
});

describe('on a Redis Cluster', () => {
  let cluster: RedisClusterServers;
  beforeAll(async () => void (cluster = await RedisClusterServers.start()));
  afterAll(() => cluster.stop());

  describeHubAdapter('Redis Cluster', 3, (nodes) => startNodes(nodes, () => ({ cluster: { nodes: cluster.nodes } })));
});
