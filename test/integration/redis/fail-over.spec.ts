import type { HistorySettings } from '../../../lib/adapter/hub-adapter';
import { clusterSlot } from '../../../lib/adapter/redis/connection/cluster-slot';
import { freePort, inStep, RedisClusterServers, RedisServer } from '../../support/redis-server';
import { SentinelServers } from '../../support/redis-sentinel';
import { TcpProxy } from '../../support/tcp-proxy';
import { waitFor } from '../../support/wait-for';
import type { AdapterNode } from '../adapter/adapter-conformance';
import { BRISK, passes, payloadOf, received, silenceLogs, startNode, startNodes, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const cleanup = useCleanup();

const HISTORY: HistorySettings = { size: 100, ttl: 60_000 };
const KEPT = 'kept';
const PLAIN = 'plain';

async function follow(nodes: readonly AdapterNode[], channels: readonly string[]): Promise<void> {
  for (const { adapter } of nodes) {
    await Promise.all(channels.map((channel) => adapter.subscribe(channel)));
    await Promise.all(channels.map((channel) => adapter.read(channel, { last: 0 }, HISTORY)));
  }
}

const append = ({ adapter }: AdapterNode, data: unknown, channel = KEPT) =>
  adapter.append({ channel, payload: payloadOf(data) }, HISTORY);

const eventually = (what: string, work: () => Promise<unknown>) => waitFor(what, () => work().then(() => true, () => false));

describe('a fail-over that loses a tail', () => {
  it('is noticed although positions are used again for other publications', async () => {
    const master = cleanup(await RedisServer.start());
    const replica = cleanup(await RedisServer.start({ args: ['--replicaof', `127.0.0.1 ${master.port}`] }));
    const proxy = cleanup(await TcpProxy.start(master.port));
    const nodes = await startNodes(2, () => ({ url: proxy.url, ...BRISK }));
    for (const { adapter } of nodes) cleanup(adapter);
    const [first, second] = nodes as [AdapterNode, AdapterNode];
    await follow(nodes, [KEPT]);
    const positions = [];
    for (let i = 1; i <= 5; i++) positions.push((await append(first, i)).position);
    await inStep(master, replica);
    await replica.use((client) => client.replicaof('NO', 'ONE'));
    for (let i = 6; i <= 8; i++) positions.push((await append(first, i)).position);
    await waitFor('all of them', () => nodes.every((node) => received(node, KEPT).length === 8));

    proxy.retarget(replica.port);
    proxy.cut();
    // Past the old top, so that the number alone would look like continuity.
    await eventually('the new master', () => append(first, 'a'));
    for (const data of ['b', 'c', 'd', 'e']) await append(second, data);
    await waitFor('the loss', () => nodes.every(({ receiver }) => receiver.lost.length > 0));
    // What came before that has been lost to an instance that was slow to come back, and it has said so.
    await append(second, 'f');
    await waitFor('the news', () => nodes.every((node) => received(node, KEPT).includes('f')));
    for (const { receiver } of nodes) expect(receiver.lost[0]!.channel).toBe(KEPT);
    const fromLost = await second.adapter.read(KEPT, { after: positions[7]! }, HISTORY);
    expect(fromLost).toMatchObject({ recovered: false, publications: [] });
    const fromKept = await second.adapter.read(KEPT, { after: positions[4]! }, HISTORY);
    expect(fromKept.recovered).toBe(true);
    expect(fromKept.publications.map(({ payload }) => (JSON.parse(payload.toString('utf8')) as { data: unknown }).data)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('a master that was demoted, and still has our connections', () => {
  let demoted: RedisServer;
  let promoted: RedisServer;
  let proxy: TcpProxy;
  let node: AdapterNode;

  beforeEach(async () => {
    demoted = cleanup(await RedisServer.start());
    promoted = cleanup(await RedisServer.start({ args: ['--replicaof', `127.0.0.1 ${demoted.port}`] }));
    proxy = cleanup(await TcpProxy.start(demoted.port));
    // A heartbeat would be refused before what is asked here.
    const quiet = { probe: { interval: 60_000 }, instances: { heartbeat: 60_000, deadAfter: 120_000 } };
    node = await startNode({ url: proxy.url, ...BRISK, ...quiet, publishTimeout: 10_000, commandTimeout: 10_000 });
    cleanup(node.adapter);
    await append(node, 1);
    await inStep(demoted, promoted);
    await promoted.use((client) => client.replicaof('NO', 'ONE'));
  });

  /** It follows nobody who is there, so that it stays as it is. */
  const demote = async (): Promise<void> => {
    const port = await freePort();
    await demoted.use((client) => client.replicaof('127.0.0.1', port));
  };

  /** The address leads to the new master as soon as the old one has refused: nothing but that ends our connections. */
  const handOverDuring = async <T>(work: Promise<T>): Promise<T> => {
    const before = proxy.accepted;
    await Promise.race([work, waitFor('a refusal', () => proxy.accepted > before)]);
    proxy.retarget(promoted.port);
    return work;
  };

  it('is not asked what follows a cursor', async () => {
    const other = await startNode({ url: promoted.url, ...BRISK });
    cleanup(other.adapter);
    const { position } = await append(other, 2);
    await append(other, 3);
    await demote();
    const { recovered, publications } = await handOverDuring(node.adapter.read(KEPT, { after: position }, HISTORY));
    expect([recovered, publications.map(({ payload }) => (JSON.parse(payload.toString('utf8')) as { data: unknown }).data)]).toEqual([true, [3]]);
  });

  it('is not asked what was published under an idempotency key', async () => {
    const publish = () => node.adapter.append({ channel: KEPT, payload: payloadOf('once') }, HISTORY, { key: 'k', ttl: 60_000 });
    const { position: lost } = await publish();
    await demote();
    const { duplicate, position } = await handOverDuring(publish());
    expect(duplicate).toBeUndefined();
    expect(position.tag).not.toBe(lost.tag);
  });

  it('is left once, however much it refuses at once', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    cleanup({ stop: async () => void process.off('warning', onWarning) });
    const { position } = await append(node, 2);
    await demote();
    const reads = Array.from({ length: 50 }, () => node.adapter.read(KEPT, { after: position }, HISTORY));
    expect(await handOverDuring(Promise.all(reads))).toHaveLength(50);
    expect(warnings).toEqual([]);
  });
});

describe('behind Sentinels', () => {
  it('goes on at the new master, with nothing missing', async () => {
    const servers = cleanup(await SentinelServers.start());
    const nodes = await startNodes(2, () => ({ sentinels: { nodes: servers.sentinelNodes, name: 'mymaster' }, ...BRISK }));
    for (const { adapter } of nodes) cleanup(adapter);
    const [first, second] = nodes as [AdapterNode, AdapterNode];
    await follow(nodes, [KEPT, PLAIN]);
    for (let i = 1; i <= 5; i++) await append(first, i);
    await inStep(servers.master, servers.replica);
    await servers.master.kill();
    await eventually('the new master', () => append(second, 6));
    await append(first, 7);
    await waitFor('publications to pass', async () => (await passes(first.adapter, second, PLAIN)) && passes(second.adapter, first, PLAIN));
    await waitFor('the news', () => nodes.every((node) => received(node, KEPT).includes(7)));
    for (const node of nodes) {
      expect(received(node, KEPT)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(node.receiver.lost).toEqual([]);
    }
  });
});

describe('in a cluster', () => {
  const channels = Array.from({ length: 12 }, (_, i) => `room:${i}`);
  let cluster: RedisClusterServers;
  let nodes: AdapterNode[];

  beforeEach(async () => {
    cluster = cleanup(await RedisClusterServers.start({ replicas: true }));
    nodes = await startNodes(2, () => ({ cluster: { nodes: cluster.nodes }, ...BRISK, publishTimeout: 10_000, commandTimeout: 10_000 }));
    for (const { adapter } of nodes) cleanup(adapter);
    await follow(nodes, channels);
  });

  const appendAll = (data: unknown) => Promise.all(channels.map((channel, i) => append(nodes[i % 2]!, data, channel)));

  it('follows its channels to a replica that is promoted, when asked and when the master is killed', async () => {
    await appendAll(1);
    const [planned, killed] = cluster.replicas as [RedisServer, RedisServer];
    await planned.use((client) => client.call('CLUSTER', 'FAILOVER'));
    await waitFor('the promotion', () => planned.use(async (client) => (await client.info('replication')).includes('role:master')));
    await appendAll(2);
    await inStep(cluster.masters[1]!, killed);
    await cluster.masters[1]!.kill();
    await waitFor('the promotion', () => killed.use(async (client) => (await client.info('replication')).includes('role:master')));
    await eventually('every slot', () => append(nodes[0]!, 'there', 'room:0').then(() => appendAll(3)));
    for (const node of nodes) {
      for (const channel of channels) await waitFor(`3 on ${channel}`, () => received(node, channel).includes(3));
      expect(node.receiver.lost).toEqual([]);
    }
    expect(received(nodes[0]!, 'room:1')).toEqual(received(nodes[1]!, 'room:1'));
  });

  it('follows a channel whose slot moves to another master', async () => {
    await appendAll(1);
    const slot = clusterSlot('realtime:channel:room:0');
    const from = await cluster.ownerOf(slot);
    const to = cluster.masters.find((server) => server !== from)!;
    await cluster.moveSlot(slot, from, to);
    await appendAll(2);
    await appendAll(3);
    for (const node of nodes) {
      await waitFor('every channel', () => channels.every((channel) => received(node, channel).length >= 3));
      for (const channel of channels) expect([channel, ...received(node, channel)]).toEqual([channel, 1, 2, 3]);
      expect(node.receiver.lost).toEqual([]);
    }
    await waitFor('health', () => nodes.every(({ adapter }) => adapter.status().ready));
  });

  it('takes an application cluster client for its addresses', async () => {
    const { Cluster } = await import('ioredis');
    const client = new Cluster(cluster.nodes);
    cleanup({ stop: async () => client.disconnect() });
    const node = await startNode({ useExisting: 'CLUSTER', ...BRISK }, (token) => (token === 'CLUSTER' ? client : undefined));
    cleanup(node.adapter);
    await follow([node], channels);
    await appendAll(1);
    for (const channel of channels) await waitFor('the publication', () => received(node, channel).length === 1);
    await node.adapter.stop();
    expect(await client.ping()).toBe('PONG');
  });
});

describe('a cluster that is not one', () => {
  it('is an error at the start, which names the address', async () => {
    const redis = cleanup(await RedisServer.start());
    const nodes = [{ host: '127.0.0.1', port: redis.port }];
    await expect(startNode({ cluster: { nodes } })).rejects.toMatchObject({
      name: 'RedisUnreachableError',
      message: expect.stringContaining(`127.0.0.1:${redis.port}`),
    });
    await redis.stop();
    await expect(startNode({ cluster: { nodes: [{ host: '127.0.0.1', port: await freePort() }] } })).rejects.toThrow('cannot be used');
  });
});
