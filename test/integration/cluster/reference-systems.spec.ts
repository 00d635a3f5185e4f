import { Injectable } from '@nestjs/common';
import { type Connection, ConnectedClient, HubClosedError, HubService, OnConnect } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { connectAs, connectionsOf, startInstance } from './cluster-kit';

@Injectable()
class Welcome {
  constructor(private readonly hub: HubService) {}

  @OnConnect()
  async greet(@ConnectedClient() { id, user }: Connection): Promise<void> {
    await this.hub.sendToConnection(id, 'welcome', { user: user?.id });
  }
}

const SOURCE_ID = /^[0-9a-f]{32}$/;

/** What reference systems D and E test over Redis, and no other spec here does in that form. Nothing of Redis is configured but its address. */
describe('CHECKLIST 47: two instances over one Redis', () => {
  let redis: RedisServer;
  let apps: [TestApp, TestApp];

  beforeAll(async () => {
    redis = await RedisServer.start();
    const start = (): Promise<TestApp> =>
      startInstance({ url: redis.url }, { providers: [Welcome], realtime: { channels: { '*': {} } } });
    apps = [await start(), await start()];
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await redis.stop();
  });
  afterEach(async () => {
    for (const { hub } of apps) {
      for (const { id } of hub.connections()) await hub.disconnect({ connectionId: id });
    }
    await waitFor('nobody', () => apps.every(({ hub }) => hub.stats().clients === 0));
  });

  it('D, OnConnect: what @OnConnect sends is the first that a client gets after the greeting', async () => {
    const client = await connectAs(apps[0], 'alice');
    expect(await client.take(() => true)).toMatchObject({ type: 'welcome', data: { user: 'alice' } });
  });

  it('D, MultipleClients and MixedSubscribers: five WebSockets, an event stream and an object of the application get a broadcast of the other instance, once', async () => {
    const sockets = await Promise.all(Array.from({ length: 5 }, () => connectAs(apps[0], 'alice')));
    const stream = await EventStream.open(`http://127.0.0.1:${apps[0].port}/ws/events?channel=news`, {
      headers: { authorization: 'Bearer key-bob' },
    });
    await stream.next('subscribed');
    const texts: string[] = [];
    const subscriber = { send: ({ text }: { text: string }): boolean => texts.push(text) > 0, close: (): void => undefined };
    apps[0].hub.register(subscriber);
    expect(apps[0].hub.stats().clients).toBe(7);
    expect(apps[1].hub.stats().clients).toBe(0);

    await apps[1].hub.broadcast('all', { n: 1 });
    await apps[1].hub.broadcast('end');
    for (const socket of sockets) {
      await socket.next('end');
      expect(socket.ofType('all')).toMatchObject([{ data: { n: 1 } }]);
    }
    await stream.next('end');
    expect(stream.frames.filter(({ type }) => type === 'all')).toEqual(sockets[0]!.ofType('all'));
    await waitFor('the object', () => texts.some((text) => text.includes('"end"')));
    expect(texts.filter((text) => text.includes('"all"'))).toHaveLength(1);
    apps[0].hub.unregister(subscriber);
  });

  it('D, ClientDisconnectAndReconnect: who comes back to the other instance gets what is sent from then on', async () => {
    const first = await connectAs(apps[0], 'alice');
    await first.close();
    await waitFor('nobody', () => apps[0].hub.stats().clients === 0);
    const witness = await connectAs(apps[1], 'bob');
    await apps[0].hub.broadcast('missed');
    await witness.next('missed');
    const second = await connectAs(apps[1], 'alice');
    await apps[0].hub.broadcast('after-reconnect');
    expect((await second.next('after-reconnect')).type).toBe('after-reconnect');
    expect(second.ofType('missed')).toEqual([]);
  });

  it('E, ConcurrentPublishes: what both instances publish at once comes whole, once, and in the order of each', async () => {
    const clients = await Promise.all(apps.map((app) => connectAs(app, 'alice')));
    await Promise.all(clients.map((client) => client.subscribe('busy')));
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    await Promise.all(numbers.flatMap((n) => apps.map(({ hub }, i) => hub.publish('busy', n, { type: `from-${i}` }))));
    for (const client of clients) {
      for (const i of [0, 1]) {
        await waitFor('all', () => client.ofType(`from-${i}`).length >= numbers.length);
        expect(client.ofType(`from-${i}`).map(({ data }) => data)).toEqual(numbers);
      }
    }
  });

  it('E, UniqueSourceIDs, LoopPrevention and DefaultPrefix: each instance has an id of its own, and gets its own echo once', async () => {
    const client = await connectAs(apps[0], 'alice');
    const observer = redis.client();
    const seen: { sourceId: string; message: { type: string } }[] = [];
    observer.on('message', (_channel: string, text: string) => seen.push(JSON.parse(text) as (typeof seen)[number]));
    await observer.subscribe('realtime:broadcast');
    await apps[0].hub.broadcast('one');
    await apps[1].hub.broadcast('two');
    await waitFor('both', () => seen.length >= 2);
    expect(seen.map(({ message }) => message.type).toSorted()).toEqual(['one', 'two']);
    const ids = seen.map(({ sourceId }) => sourceId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(SOURCE_ID);
    await client.next('two');
    expect(client.ofType('one')).toHaveLength(1);
    observer.disconnect();
  });

  it('E, PublishToChannel and ChannelPatternMatching: a channel is its own, however alike the names are', async () => {
    const channels = ['events:user:1', 'events:user:2', 'events:user:11', 'events:user'];
    const clients = await Promise.all(channels.map(() => connectAs(apps[0], 'alice')));
    await Promise.all(clients.map((client, i) => client.subscribe(channels[i]!)));
    await apps[1].hub.publish('events:user:1', 'for user 1', { type: 'event' });
    for (const channel of channels) await apps[1].hub.publish(channel, channel, { type: 'end' });
    for (const [i, client] of clients.entries()) {
      expect((await client.next('end')).data).toBe(channels[i]);
      expect(client.ofType('event').map(({ data }) => data)).toEqual(i === 0 ? ['for user 1'] : []);
    }
  });

  it('CHECKLIST 45: what an instance counts is its own, and clusterStats() what all do', async () => {
    await Promise.all([connectAs(apps[0], 'alice'), connectAs(apps[0], 'bob'), connectAs(apps[1], 'carol')]);
    expect(apps.map(({ hub }) => hub.stats().clients)).toEqual([2, 1]);
    expect(apps.map(({ hub }) => hub.connections().length)).toEqual([2, 1]);
    const all = await waitFor('the counts of both', async () => {
      const found = await apps[1].hub.clusterStats();
      return found.clients === 3 && found;
    });
    expect(all.instances.map(({ clients, self }) => [clients, self])).toEqual([[2, false], [1, true]]);
  });

  it('D and E, GracefulShutdown: clients are told, nothing can be published any more, and Redis is left', async () => {
    const app = await startInstance({ url: redis.url });
    const before = await connectionsOf(redis);
    const client = await TestClient.connect(`${app.url}/ws`, { headers: { authorization: 'Bearer key-alice' } });
    await app.close();
    expect((await client.closed).code).toBe(1001);
    await expect(app.hub.broadcast('after-stop')).rejects.toBeInstanceOf(HubClosedError);
    await expect(app.hub.publish('plain:x', 1)).rejects.toBeInstanceOf(HubClosedError);
    await waitFor('its connections to close', async () => (await connectionsOf(redis)) === before - 2);
    await app.close();
  });
});
