import { RedisClusterServers, RedisServer } from '../../support/redis-server';
import { describeHubAdapter } from './adapter-conformance';
import { startNodes } from './redis-nodes';

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
