import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { connectAs, connectWithId, startInstance } from './cluster-kit';

@Injectable()
class Speech {
  @SubscribeChannel('plain:{name}')
  plain(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('kept:{name}')
  kept(@MessageBody() body: unknown): unknown {
    return body;
  }
}

const byNumber = (a: unknown, b: unknown): number => Number(a) - Number(b);

describe.each([2, 3])('%d instances over one Redis', (count) => {
  let redis: RedisServer;
  let apps: TestApp[];
  let clients: TestClient[];
  const ids: string[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
    apps = await Promise.all(Array.from({ length: count }, () => startInstance({ url: redis.url }, { providers: [Speech] })));
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.stop();
  });

  // On each instance alice and bob: clients[2 * i] and clients[2 * i + 1].
  beforeEach(async () => {
    const connected = await Promise.all(apps.flatMap((app) => [connectWithId(app, 'alice'), connectWithId(app, 'bob')]));
    clients = connected.map(({ client }) => client);
    ids.splice(0, ids.length, ...connected.map(({ id }) => id));
    await Promise.all(clients.flatMap((client) => ['plain:x', 'kept:x'].map((channel) => client.subscribe(channel))));
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await waitFor('nobody', () => apps.every((app) => app.hub.stats().clients === 0));
  });

  /** What each client was sent under a type, once something later has come through from every instance. */
  async function got(type: string): Promise<unknown[][]> {
    await Promise.all(apps.map((app, i) => app.hub.broadcast('flush', `${type} ${i}`)));
    await Promise.all(
      clients.flatMap((client) => apps.map((_app, i) => client.take(({ type: flush, data }) => flush === 'flush' && data === `${type} ${i}`))),
    );
    return clients.map((client) => client.ofType(type).map(({ data }) => data as unknown));
  }

  const each = <T>(value: (i: number) => T): T[] => clients.map((_client, i) => value(i));

  it.each(['plain:x', 'kept:x'])('CHECKLIST 32: each client gets a publication on %s exactly once, those of its publisher too', async (channel) => {
    for (const [i, app] of apps.entries()) expect(await app.hub.publish(channel, i, { type: 'news' })).toMatchObject({ delivered: 'cluster' });
    await waitFor('all', () => clients.every((client) => client.ofType('news').length >= count));
    expect((await got('news')).map((data) => data.toSorted(byNumber))).toEqual(each(() => apps.map((_app, i) => i)));
  });

  it.each(['plain:x', 'kept:x'])('give what a client publishes on %s to every client once, the client itself included', async (channel) => {
    const ack = await clients[0]!.request({ type: 'say', channel, data: 'hello' });
    expect(ack.type).toBe('ack');
    const said = await Promise.all(clients.map((client) => client.take(({ type }) => type === 'say')));
    expect(said.map(({ data, from }) => [data, from])).toEqual(each(() => ['hello', 'alice']));
    expect(await got('say')).toEqual(each(() => []));
  });

  it('leave out who is excluded, wherever that is, and say who it is from', async () => {
    const last = clients.length - 1;
    for (const channel of ['plain:x', 'kept:x']) {
      await apps[0]!.hub.publish(channel, channel, { type: 'news', from: 'desk', exclude: [ids[0]!, ids[last]!] });
      await waitFor('the others', () => clients.slice(1, last).every((client) => client.ofType('news').some(({ data }) => data === channel)));
    }
    expect(await got('news')).toEqual(each((i) => (i === 0 || i === last ? [] : ['plain:x', 'kept:x'])));
    expect(clients[1]!.ofType('news').map(({ from }) => from)).toEqual(['desk', 'desk']);
  });

  it('broadcast to everybody once', async () => {
    for (const [i, app] of apps.entries()) await app.hub.broadcast('all', i);
    expect((await got('all')).map((data) => data.toSorted(byNumber))).toEqual(each(() => apps.map((_app, i) => i)));
  });

  it('send to all connections of a user, and to one connection, on whichever instance', async () => {
    await apps[0]!.hub.sendToUser('alice', 'mine', 1);
    await apps.at(-1)!.hub.sendToConnection(ids[1]!, 'mine', 2);
    const expected = each((i) => (i % 2 === 0 ? [1] : []));
    expected[1] = [2];
    expect(await got('mine')).toEqual(expected);
  });

  it('subscribe and unsubscribe from the side of the server, on whichever instance', async () => {
    await apps[0]!.hub.subscribe({ userId: 'bob' }, 'given');
    const bobs = clients.filter((_client, i) => i % 2 === 1);
    for (const bob of bobs) await bob.take(({ type, channel }) => type === 'subscribed' && channel === 'given');
    await apps.at(-1)!.hub.publish('given', 1, { type: 'gift' });
    expect(await got('gift')).toEqual(each((i) => (i % 2 === 1 ? [1] : [])));

    await apps.at(-1)!.hub.unsubscribe({ connectionId: ids[1]! }, 'given', { reason: 'enough' });
    expect((await bobs[0]!.next('unsubscribed')).data).toMatchObject({ reason: 'enough' });
    await apps[0]!.hub.publish('given', 2, { type: 'gift' });
    expect(await got('gift')).toEqual(each((i) => (i % 2 === 0 ? [] : i === 1 ? [1] : [1, 2])));
  });

  it('disconnect a user and a connection everywhere, for good', async () => {
    await apps[0]!.hub.disconnect({ userId: 'bob' }, { reason: 'closed' });
    await apps[0]!.hub.disconnect({ connectionId: ids.at(-2)! });
    const bobs = clients.filter((_client, i) => i % 2 === 1);
    expect(await Promise.all(bobs.map(({ closed }) => closed))).toEqual(bobs.map(() => ({ code: 4503, reason: 'closed' })));
    expect(await clients.at(-2)!.closed).toEqual({ code: 4503, reason: '' });
    clients = clients.filter(({ socket }) => socket.readyState === socket.OPEN);
    expect(clients).toHaveLength(count - 1);
    expect(await got('nothing')).toEqual(each(() => []));
  });

  it('know the members of all, each change told once', async () => {
    await clients[0]!.subscribe('room:a');
    await clients.at(-1)!.subscribe('room:a');
    expect((await clients[0]!.next('join')).data).toMatchObject({ user: 'bob', connectionId: ids.at(-1) });
    expect(await apps[0]!.hub.presence('room:a')).toMatchObject({ count: 2, users: 2 });
    clients.at(-1)!.socket.terminate();
    expect((await clients[0]!.next('leave')).data).toMatchObject({ user: 'bob', connectionId: ids.at(-1) });
    clients.pop();
    await got('nothing');
    expect([...clients[0]!.ofType('join'), ...clients[0]!.ofType('leave')]).toEqual([]);
  });

  it('never lose a user who reconnects to another instance within the grace period', async () => {
    const [alice, bob] = [clients[0]!, clients[1]!];
    await bob.subscribe('hall:b');
    await alice.subscribe('hall:b');
    await bob.next('join');
    const users: number[] = [];
    const look = async (): Promise<void> => void users.push((await apps[0]!.hub.presence('hall:b')).users);
    alice.socket.terminate();
    await look();
    const back = await connectAs(apps.at(-1)!, 'alice');
    await look();
    await back.subscribe('hall:b');
    await look();
    await bob.next('leave');
    await look();
    expect(users).toEqual([2, 2, 2, 2]);
    const told = bob.frames.filter(({ type }) => type === 'join' || type === 'leave');
    expect(told.map(({ type }) => type)).toEqual(['join']);
    clients[0] = back;
  });

  it('tell how many they are', async () => {
    const stats = await waitFor('every heartbeat', async () => {
      const found = await apps[0]!.hub.clusterStats();
      return found.clients === 2 * count && found;
    });
    expect(stats).toMatchObject({ clients: 2 * count, subscribers: 4 * count });
    expect(stats.instances).toHaveLength(count);
    expect(stats.instances.filter(({ self }) => self)).toHaveLength(1);
    expect(stats.instances.map(({ clients: own, channels }) => [own, channels])).toEqual(apps.map(() => [2, 2]));
  });
});
