import type { PresenceMember } from '../../../lib/adapter/hub-adapter';
import { RedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { waitFor } from '../../support/wait-for';
import type { AdapterNode } from '../adapter/adapter-conformance';
import { BRISK, createNode, silenceLogs, startNode, startNodes, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const cleanup = useCleanup();

const ROOM = 'room:lobby';
const member = (connectionId: string): PresenceMember => ({ connectionId, user: `user of ${connectionId}`, info: { a: 1 } });
const ids = async ({ adapter }: AdapterNode): Promise<string[]> =>
  (await adapter.members(ROOM)).map(({ connectionId }) => connectionId).toSorted();
const changes = (nodes: readonly AdapterNode[]) =>
  nodes.flatMap(({ receiver }) => receiver.presence.map(({ change, channel, member: { connectionId } }) => `${change} ${channel} ${connectionId}`));

describe('the presence of instances that go', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let survivors: AdapterNode[];
  let lost: AdapterNode;

  beforeEach(async () => {
    redis = cleanup(await RedisServer.start());
    proxy = cleanup(await TcpProxy.start(redis.port));
    survivors = await startNodes(3, () => ({ url: redis.url, ...BRISK }));
    lost = await startNode({ url: proxy.url, ...BRISK, commandTimeout: 1000 });
    for (const { adapter } of [...survivors, lost]) cleanup(adapter);
    await survivors[0]!.adapter.addMember(ROOM, member('stays'));
    await lost.adapter.addMember(ROOM, member('l1'));
    await lost.adapter.addMember(ROOM, member('l2'));
    await lost.adapter.addMember('room:other', member('l1'));
  });

  it('is taken away by exactly one survivor, which is told of every member', async () => {
    expect(await ids(survivors[1]!)).toEqual(['l1', 'l2', 'stays']);
    proxy.cut({ refuse: true });
    await waitFor('the members to go', async () => (await ids(survivors[1]!)).length === 1);
    await waitFor('the news', () => changes(survivors).length >= 3);
    expect(changes(survivors).toSorted()).toEqual([`leave ${ROOM} l1`, `leave ${ROOM} l2`, 'leave room:other l1']);
    expect(survivors.flatMap(({ receiver }) => receiver.presence).find(({ member: { connectionId } }) => connectionId === 'l1')?.member).toEqual(member('l1'));
    await waitFor('the register', async () => (await survivors[0]!.adapter.instances()).length === 3);
  });

  it('comes back with an instance that was only cut off, and what left meanwhile does not', async () => {
    proxy.cut({ refuse: true });
    await waitFor('the news', () => changes(survivors).length >= 3);
    await expect(lost.adapter.removeMember(ROOM, 'l2')).rejects.toThrow('failed');
    await expect(lost.adapter.addMember(ROOM, member('l3'))).rejects.toThrow('failed');
    proxy.heal();
    await waitFor('the members to come back', async () => (await ids(survivors[1]!)).length === 3);
    expect(await ids(survivors[1]!)).toEqual(['l1', 'l3', 'stays']);
    await waitFor('the news', () => changes([lost]).length >= 3);
    expect(changes([lost]).toSorted()).toEqual([`join ${ROOM} l1`, `join ${ROOM} l3`, 'join room:other l1']);
    expect(changes(survivors)).toHaveLength(3);
    await waitFor('the register', async () => (await survivors[0]!.adapter.instances()).length === 4);
    expect(new Set((await survivors[0]!.adapter.instances()).map(({ id }) => id)).size).toBe(4);
  });

  it('is put back without a word when Redis has lost it', async () => {
    await redis.restart();
    await waitFor('the members', async () => (await ids(survivors[1]!).catch(() => [])).length === 3);
    await waitFor('the register', async () => (await survivors[0]!.adapter.instances()).length === 4);
    expect(changes([...survivors, lost])).toEqual([]);
  });

  it('is nobody dead after an outage of Redis that everybody shared', async () => {
    redis.pause();
    // Longer than the silence that means death.
    await waitFor('the silence', (() => {
      const until = Date.now() + 2500;
      return () => Date.now() > until;
    })());
    redis.resume();
    await waitFor('health', () => [...survivors, lost].every(({ adapter }) => adapter.status().ready));
    const seen = await waitFor('the register', async () => {
      const instances = await survivors[0]!.adapter.instances().catch(() => []);
      return instances.length === 4 && instances;
    });
    expect(seen).toHaveLength(4);
    expect(await ids(survivors[1]!)).toEqual(['l1', 'l2', 'stays']);
    expect(changes([...survivors, lost])).toEqual([]);
  });

  it('is signed off by an instance that stops, and left to the others by one that leaves members behind', async () => {
    await survivors[2]!.adapter.stop();
    expect(await survivors[0]!.adapter.instances()).toHaveLength(3);
    await lost.adapter.stop();
    await waitFor('the news', () => changes(survivors).length >= 3);
    expect(await ids(survivors[0]!)).toEqual(['stays']);
  });

  it('leaves nothing in Redis when everybody has gone', async () => {
    for (const [node, connection, room] of [[survivors[0]!, 'stays', ROOM], [lost, 'l1', ROOM], [lost, 'l2', ROOM], [lost, 'l1', 'room:other']] as const) {
      expect(await node.adapter.removeMember(room, connection)).toBe(true);
    }
    await Promise.all([...survivors, lost].map(({ adapter }) => adapter.stop()));
    expect(await redis.use((client) => client.keys('*'))).toEqual([]);
  });
});

describe('a receiver that does not ask for presence', () => {
  it('is not told, and nothing breaks', async () => {
    const redis = cleanup(await RedisServer.start());
    const { adapter } = createNode({ url: redis.url, ...BRISK });
    await adapter.start({ onPublication() {}, onBroadcast() {}, onControl() {}, onContinuityLost() {} });
    cleanup(adapter);
    expect(await adapter.instances()).toMatchObject([{ counts: {} }]);
  });
});
