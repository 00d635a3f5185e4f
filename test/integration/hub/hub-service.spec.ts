import { Injectable, Module } from '@nestjs/common';
import { apiKeys, BroadcastSender, HubService, OnSubscribe, ProcessOutputService, RealtimeModule } from 'nestjs-realtime';
import { createApp as start, type TestApp } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

@Injectable()
class Vetoing {
  asked = 0;
  @OnSubscribe('private:{name}')
  join(): void {
    this.asked++;
    throw new Error('never by clients');
  }
}

interface Member {
  client: TestClient;
  id: string;
}

describe('CHECKLIST 28: HubService', () => {
  let app: TestApp;
  let alice: Member;
  let alice2: Member;
  let bob: Member;

  const connect = async (key: string): Promise<Member> => {
    const client = await TestClient.connect(`${app.url}/ws`, { headers: { authorization: `Bearer ${key}` }, greeted: false });
    return { client, id: (await client.next('connected')).data.connectionId };
  };
  const everyone = (): Member[] => [alice, alice2, bob];
  /** What each of the three has got, by type. */
  const received = async (type: string): Promise<number[]> => {
    await Promise.all(everyone().map(({ client }) => client.settled()));
    return everyone().map(({ client }) => client.ofType(type).length);
  };

  beforeEach(async () => {
    app = await start({
      providers: [Vetoing],
      realtime: {
        auth: { authenticator: apiKeys({ a: 'alice', b: 'bob' }) },
        channels: { 'room:{name}': {}, 'kept:{name}': { history: { size: 10, ttl: '1m' } } },
      },
    });
    [alice, alice2, bob] = [await connect('a'), await connect('a'), await connect('b')];
  });
  afterEach(() => app.close());

  describe.each(['room:a', 'kept:a'])('publish on %s', (channel) => {
    beforeEach(() => Promise.all(everyone().map(({ client }) => client.subscribe(channel))));

    it('reaches every subscriber, with the type, data and publisher given', async () => {
      const result = await app.hub.publish(channel, { text: 'hi' }, { type: 'chat', from: 'system' });
      const cursor = channel === 'kept:a' ? { cursor: result.cursor } : {};
      expect(result).toEqual({ delivered: 'cluster', ...cursor });
      for (const { client } of everyone()) {
        const frame = await client.next('chat');
        expect(frame).toEqual({ type: 'chat', channel, data: { text: 'hi' }, from: 'system', ...cursor, timestamp: TIMESTAMP });
      }
    });

    it('has the type message, and neither data nor from, when none is given', async () => {
      await app.hub.publish(channel);
      const frame = await bob.client.next('message');
      expect(Object.keys(frame).filter((field) => field !== 'cursor').toSorted()).toEqual(['channel', 'timestamp', 'type']);
    });

    it('leaves out one connection, or several', async () => {
      await app.hub.publish(channel, 1, { exclude: alice.id });
      expect(await received('message')).toEqual([0, 1, 1]);
      await app.hub.publish(channel, 2, { exclude: [alice.id, bob.id, 'nobody'] });
      expect(await received('message')).toEqual([0, 2, 1]);
    });

    it('reaches nobody who has left, and no other channel', async () => {
      await bob.client.request({ type: 'unsubscribe', channel });
      await app.hub.publish(channel, 1);
      await app.hub.publish(`${channel}b`, 2);
      expect(await received('message')).toEqual([1, 1, 0]);
    });

    it('keeps the order of calls that nobody waits for', async () => {
      for (let n = 0; n < 100; n++) void app.hub.publish(channel, n);
      await waitFor('all', () => bob.client.ofType('message').length === 100);
      for (const { client } of everyone()) {
        await waitFor('all', () => client.ofType('message').length === 100);
        expect(client.ofType('message').map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      }
    });
  });

  it('publishes on a channel that nothing declares and nobody holds', async () => {
    expect(await app.hub.publish('undeclared', 1)).toEqual({ delivered: 'cluster' });
  });

  it.each(['broadcast', 'BroadcastSender'])('CHECKLIST 16: %s reaches everybody, subscribed or not', async (way) => {
    await alice.client.subscribe('room:a');
    const sender = way === 'broadcast' ? app.hub : app.app.get(BroadcastSender);
    expect(await sender.broadcast('deploy:started', { env: 'production' })).toEqual({ delivered: 'cluster' });
    for (const { client } of everyone()) {
      const frame = await client.next('deploy:started');
      expect(frame).toEqual({ type: 'deploy:started', data: { env: 'production' }, timestamp: TIMESTAMP });
    }
  });

  it('CHECKLIST 16: BroadcastSender is a token for code that must not know more', async () => {
    @Injectable()
    class Deployer {
      constructor(
        readonly sender: BroadcastSender,
        readonly hub: HubService,
      ) {}
    }
    @Module({ providers: [Deployer] })
    class DeployModule {}
    const other = await start({ imports: [DeployModule] });
    const { sender, hub } = other.app.get(Deployer);
    expect(sender).toBe(hub);
    await other.close();
  });

  it('sendToUser reaches all connections of the user, and nobody else', async () => {
    expect(await app.hub.sendToUser('alice', 'notice', { unread: 3 })).toEqual({ delivered: 'cluster' });
    expect(await received('notice')).toEqual([1, 1, 0]);
    expect(alice.client.ofType('notice')).toEqual([{ type: 'notice', data: { unread: 3 }, timestamp: TIMESTAMP }]);
    await app.hub.sendToUser('nobody', 'notice');
    expect(await received('notice')).toEqual([1, 1, 0]);
  });

  it('sendToConnection reaches one', async () => {
    await app.hub.sendToConnection(alice2.id, 'notice');
    expect(await received('notice')).toEqual([0, 1, 0]);
  });

  it('errors can be sent, to one and on a channel', async () => {
    await app.hub.sendToConnection(bob.id, 'error', { code: 'conflict', message: 'taken' });
    expect(await bob.client.next('error')).toMatchObject({ data: { code: 'conflict', message: 'taken' } });
  });

  it('subscribes from the server’s side: no handler is asked, nothing need be declared, the client is told', async () => {
    await app.hub.subscribe({ userId: 'alice' }, 'private:a');
    await app.hub.subscribe({ connectionId: bob.id }, 'undeclared');
    expect(app.app.get(Vetoing).asked).toBe(0);
    for (const { client } of [alice, alice2]) {
      expect(await client.next('subscribed')).toEqual({ type: 'subscribed', channel: 'private:a', recoverable: false, timestamp: TIMESTAMP });
    }
    await app.hub.publish('private:a', 1);
    expect(await received('message')).toEqual([1, 1, 0]);
    expect(app.hub.channelInfo('private:a')).toEqual({ name: 'private:a', subscribers: 2, connections: expect.arrayContaining([alice.id, alice2.id]) });
    expect(app.hub.channelInfo('undeclared')).toMatchObject({ connections: [bob.id] });
  });

  it('unsubscribes from the server’s side, and tells why', async () => {
    await Promise.all([alice, bob].map(({ client }) => client.subscribe('room:a')));
    await app.hub.unsubscribe({ userId: 'alice' }, 'room:a', { reason: 'room closed' });
    expect(await alice.client.next('unsubscribed')).toEqual({
      type: 'unsubscribed',
      channel: 'room:a',
      data: { code: expect.any(Number), reason: 'room closed' },
      timestamp: TIMESTAMP,
    });
    await app.hub.publish('room:a', 1);
    expect(await received('message')).toEqual([0, 0, 1]);
    expect(alice2.client.ofType('unsubscribed')).toEqual([]);
  });

  it('disconnects a user everywhere, and a connection alone', async () => {
    await app.hub.disconnect({ userId: 'alice' }, { reason: 'account closed' });
    for (const { client } of [alice, alice2]) expect(await client.closed).toEqual({ code: 4503, reason: 'account closed' });
    expect(app.hub.connections().map(({ id }) => id)).toEqual([bob.id]);
    await app.hub.disconnect({ connectionId: bob.id }, { code: 4000 });
    expect((await bob.client.closed).code).toBe(4000);
    await app.hub.disconnect({ connectionId: bob.id });
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });

  it('CHECKLIST 45: counts and lists, of this instance, as copies', async () => {
    await Promise.all(everyone().map(({ client }) => client.subscribe('room:a')));
    await bob.client.subscribe('room:b');
    expect(app.hub.stats()).toEqual({ clients: 3, channels: 2, subscribers: 4, published: 0, delivered: 0, dropped: 0, evicted: 0 });
    await app.hub.publish('room:a', 1);
    expect(app.hub.stats()).toMatchObject({ published: 1, delivered: 3 });
    await app.hub.broadcast('x');
    expect(app.hub.stats()).toMatchObject({ published: 2, delivered: 6 });
    expect(app.hub.channels().toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'room:a', subscribers: 3 },
      { name: 'room:b', subscribers: 1 },
    ]);
    expect(app.hub.channelInfo('room:a')!.connections.toSorted()).toEqual(everyone().map(({ id }) => id).toSorted());
    expect(app.hub.channelInfo('room:none')).toBeUndefined();
    expect(app.hub.connections().find(({ id }) => id === bob.id)).toEqual({
      id: bob.id,
      user: 'bob',
      transport: 'websocket',
      channels: ['room:a', 'room:b'],
      connectedAt: expect.any(Number),
      remoteAddress: expect.stringContaining('127.0.0.1'),
    });
    Object.assign(app.hub.stats(), { clients: 99 });
    app.hub.channels().length = 0;
    app.hub.connections().length = 0;
    expect(app.hub.stats().clients).toBe(3);
    expect(app.hub.channels()).toHaveLength(2);
  });

  it('CHECKLIST 28: ProcessOutputService streams lines and the status on process:<id>', async () => {
    const output = app.app.get(ProcessOutputService);
    await app.hub.subscribe({ connectionId: bob.id }, 'process:build-42');
    await bob.client.next('subscribed');
    await output.output('build-42', 'Compiling main.go...');
    await output.status('build-42', 'running');
    await output.status('build-42', 'exited', 0);
    await output.output('build-43', 'another');
    const channel = 'process:build-42';
    const frames = (await bob.client.settled()).filter((frame) => frame.channel === channel);
    expect(frames).toEqual([
      { type: 'process_output', channel, data: 'Compiling main.go...', timestamp: TIMESTAMP },
      { type: 'process_status', channel, data: { status: 'running' }, timestamp: TIMESTAMP },
      { type: 'process_status', channel, data: { status: 'exited', exitCode: 0 }, timestamp: TIMESTAMP },
    ]);
    await expect(output.output('not a name', 'x')).rejects.toMatchObject({ name: 'InvalidChannelError' });
  });
});

describe('HubService without a server', () => {
  const createApp = testApps();

  it('can be called while the application starts', async () => {
    @Injectable()
    class Early {
      results: unknown[] = [];
      constructor(private readonly hub: HubService) {}
      async onModuleInit(): Promise<void> {
        this.results.push(await this.hub.publish('kept', 1), await this.hub.broadcast('x'), this.hub.stats().clients);
      }
    }
    const app = await createApp({ providers: [Early], realtime: { channels: { kept: { history: { size: 5, ttl: '1m' } } } } });
    expect(app.app.get(Early).results).toEqual([{ delivered: 'cluster', cursor: expect.any(String) }, { delivered: 'cluster' }, 0]);
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('kept', { replay: 1 });
    expect((await client.next('message')).data).toBe(1);
  });

  it('is not to be had where the module is not imported', () => {
    expect(RealtimeModule.forRoot({}).global).toBe(false);
  });
});
