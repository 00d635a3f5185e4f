import type { ClusterStats } from 'nestjs-realtime';
import { ChildApp } from '../../support/child-app';
import { RedisServer } from '../../support/redis-server';
import type { TestClient, TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { BRISK } from '../adapter/redis-nodes';
import { connectionsOf, connectWithId } from './cluster-kit';

const ROOM = 'room:x';
const KEPT = 'kept:x';
/** ms within which the members of a dead instance leave. */
const PROMISED = 15_000;
/** ms: three processes are started. */
const TIMEOUT = 90_000;

describe('three processes over one Redis', () => {
  let redis: RedisServer;
  let children: ChildApp[];
  let clients: TestClient[] = [];
  let ids: string[];

  const start = async (options: object): Promise<void> => {
    redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    children = [];
    const ports: number[] = [];
    // One after the other: each compiles what it loads.
    while (children.length < 3) {
      const child = ChildApp.start('cluster-instance', JSON.stringify({ url: redis.url, ...options }));
      children.push(child);
      ports.push(await child.port());
    }
    const users = ['alice', 'bob', 'carol'];
    const connected = await Promise.all(ports.map((port, i) => connectWithId({ url: `ws://127.0.0.1:${port}` }, users[i]!)));
    clients = connected.map(({ client }) => client);
    ids = connected.map(({ id }) => id);
    for (const client of clients) await Promise.all([client.subscribe(ROOM), client.subscribe(KEPT)]);
  };
  afterEach(async () => {
    for (const client of clients) client.socket.terminate();
    clients = [];
    await Promise.all(children.map((child) => child.kill()));
    await redis.stop();
  });

  const stats = async (client: TestClient): Promise<ClusterStats | undefined> => {
    const { type, data } = await client.request({ type: 'stats' });
    return type === 'ack' ? (data as ClusterStats) : undefined;
  };
  const changesOf = (client: TestClient): TestFrame[] => client.frames.filter(({ type }) => type === 'leave' || type === 'join');

  /** What one says is heard by all, itself included, once; on both kinds of channel. */
  async function expectHeardOnce(talkers: readonly TestClient[], word: string): Promise<void> {
    for (const [i, talker] of talkers.entries()) {
      for (const channel of [ROOM, KEPT]) await talker.request({ type: word, channel, data: i });
    }
    const expected = talkers.flatMap((_talker, i) => [`${KEPT} ${i}`, `${ROOM} ${i}`]).toSorted();
    await waitFor('every word', () => talkers.every((client) => client.ofType(word).length >= expected.length));
    for (const client of talkers) {
      expect(client.ofType(word).map(({ channel, data }) => `${channel} ${data}`).toSorted()).toEqual(expected);
    }
  }

  /** Without history, what is published while an instance is on its way back is not owed to its clients. */
  async function everybodyListens(): Promise<void> {
    await waitFor('everybody to hear everybody', async () => {
      for (const [i, client] of clients.entries()) await client.request({ type: 'probe', channel: ROOM, data: i });
      return clients.every((client) => new Set(client.ofType('probe').map(({ data }) => data as number)).size === clients.length);
    });
  }

  /** None has ended of an unhandled rejection, as Node does, and each stops when it is told to. */
  async function expectSoundEnd(living: readonly ChildApp[]): Promise<void> {
    for (const child of living) child.signal('SIGTERM');
    const ends = await Promise.all(living.map(({ ended }) => ended));
    expect(ends).toEqual(living.map(() => ({ code: null, signal: 'SIGTERM' })));
  }

  it('an instance is killed: its members leave within 15 s, told by one survivor, and the others go on', async () => {
    await start({});
    const [, bob, carol] = clients as [TestClient, TestClient, TestClient];
    const connections = await connectionsOf(redis);
    const twin = await connectWithId({ url: `ws://127.0.0.1:${await children[0]!.port()}` }, 'alice');
    await twin.client.subscribe(ROOM);
    for (const client of [bob, carol]) {
      await client.take(({ type, data }) => type === 'join' && (data as { connectionId: string }).connectionId === twin.id);
      client.frames.splice(0, client.frames.length);
    }
    const killedAt = performance.now();
    await children[0]!.kill();
    await expectHeardOnce([bob, carol], 'meanwhile');
    const bothTold = (): boolean => [bob, carol].every((client) => changesOf(client).length >= 2);
    while (!bothTold() && performance.now() - killedAt < PROMISED) await bob.settled();
    await expectHeardOnce([bob, carol], 'afterwards');

    for (const client of [bob, carol]) {
      const told = changesOf(client).map(({ type, data }) => `${type} ${(data as { connectionId: string }).connectionId}`);
      expect(told.toSorted()).toEqual([`leave ${ids[0]}`, `leave ${twin.id}`].toSorted());
    }
    expect((await bob.request({ type: 'presence', channel: ROOM })).data).toMatchObject({ count: 2, users: 2 });
    const survivors = await stats(bob);
    expect(survivors?.instances).toHaveLength(2);
    expect(await waitFor('its connections to go', async () => (await connectionsOf(redis)) === connections - 2)).toBe(true);
    await expectSoundEnd(children.slice(1));
  }, TIMEOUT);

  it('Redis is killed, paused and started again: no process ends of it, and nobody is told to have left', async () => {
    await start(BRISK);
    await waitFor('every process to be known', async () => (await stats(clients[0]!))?.instances.length === 3);
    const connections = await connectionsOf(redis);
    for (const client of clients) client.frames.splice(0, client.frames.length);
    const heard = (client: TestClient): Promise<boolean> =>
      waitFor('publications to be taken again', async () => (await client.request({ type: 'again', channel: KEPT, data: 0 })).type === 'ack');
    await redis.kill();
    expect((await clients[0]!.request({ type: 'lost', channel: KEPT, data: 0 })).data).toMatchObject({ code: 'unavailable' });
    await redis.restart();
    await Promise.all(clients.map((client) => heard(client)));
    redis.pause();
    expect((await clients[1]!.request({ type: 'unsure', channel: KEPT, data: 0 })).data).toMatchObject({ code: 'unavailable' });
    redis.resume();
    await Promise.all(clients.map((client) => heard(client)));
    await waitFor('every process to be known again', async () => (await stats(clients[0]!))?.instances.length === 3);
    await everybodyListens();
    await expectHeardOnce(clients, 'whole');
    expect(clients.flatMap((client) => changesOf(client))).toEqual([]);
    expect((await clients[0]!.request({ type: 'presence', channel: ROOM })).data).toMatchObject({ count: 3, users: 3 });
    expect(await waitFor('as many connections as before', async () => (await connectionsOf(redis)) === connections)).toBe(true);
    await expectSoundEnd(children);
  }, TIMEOUT);
});
