import { ForbiddenException, Injectable } from '@nestjs/common';
import {
  type Connection,
  ConnectedClient,
  type Frame,
  HubClosedError,
  HubService,
  OnConnect,
  OnDisconnect,
  OnSubscribe,
  OnUnsubscribe,
  type Subscriber,
} from 'nestjs-realtime';
import { createApp as start } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

/** A subscriber of an application's own. */
class Recorder implements Subscriber {
  readonly messages: TestFrame[] = [];
  readonly closes: [number | undefined, string | undefined][] = [];
  accepts = true;

  send(frame: Frame): boolean {
    if (this.accepts) this.messages.push(JSON.parse(frame.text) as TestFrame);
    return this.accepts;
  }

  close(code?: number, reason?: string): void {
    this.closes.push([code, reason]);
  }
}

class Throwing implements Subscriber {
  send(): boolean {
    throw new Error('send failed');
  }
  close(): void {
    throw new Error('close failed');
  }
}

@Injectable()
class Hooks {
  readonly calls: string[] = [];
  refuse = false;

  constructor(private readonly hub: HubService) {}

  @OnConnect()
  async connect(@ConnectedClient() { id, user, transport }: Connection): Promise<void> {
    this.calls.push(`connect ${transport} ${user?.id}`);
    if (this.refuse) throw new ForbiddenException();
    if (transport === 'custom') await this.hub.subscribe({ connectionId: id }, 'room:welcome');
  }

  @OnSubscribe('room:{name}')
  join(): void {
    this.calls.push('join');
  }

  @OnUnsubscribe('room:{name}')
  leave(): void {
    this.calls.push('leave');
  }

  @OnDisconnect()
  disconnect(@ConnectedClient() { user }: Connection): void {
    this.calls.push(`disconnect ${user?.id}`);
  }
}

const alice = { id: 'alice', claims: {} };

describe('CHECKLIST 13, 15: subscribers of the application’s own', () => {
  const createApp = testApps();

  it('stand beside WebSocket clients: the same channels, broadcasts, messages and counts', async () => {
    const app = await createApp({ realtime: { channels: { '*': { presence: true } } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const recorder = new Recorder();
    const connection = app.hub.register(recorder, { user: alice });
    expect(connection).toMatchObject({ transport: 'custom', user: alice });
    await app.hub.subscribe({ connectionId: connection.id }, 'room:a');
    await client.subscribe('room:a');

    await app.hub.publish('room:a', 1);
    await app.hub.broadcast('all', 2);
    await app.hub.sendToUser('alice', 'user', 3);
    await app.hub.sendToConnection(connection.id, 'direct', 4);
    await waitFor('the join', () => recorder.messages.some(({ type }) => type === 'join'));
    expect(recorder.messages.map(({ type }) => type)).toEqual(['subscribed', 'join', 'message', 'all', 'user', 'direct']);
    expect((await client.next('message')).data).toBe(1);
    expect(app.hub.stats()).toMatchObject({ clients: 2, subscribers: 2, channels: 1 });
    expect(app.hub.connections().map(({ transport }) => transport).toSorted()).toEqual(['custom', 'websocket']);
    expect((await app.hub.presence('room:a')).members).toContainEqual({ connectionId: connection.id, user: 'alice', info: null });
  });

  it('meet @OnConnect and @OnDisconnect, and may be subscribed there', async () => {
    const app = await createApp({ providers: [Hooks] });
    const { calls } = app.app.get(Hooks);
    const recorder = new Recorder();
    app.hub.register(recorder, { user: alice });
    await waitFor('the subscription', () => recorder.messages.some(({ type }) => type === 'subscribed'));
    await app.hub.publish('room:welcome', 1);
    expect(recorder.messages.at(-1)).toMatchObject({ type: 'message', data: 1 });
    expect(app.hub.unregister(recorder)).toBe(true);
    expect(app.hub.unregister(recorder)).toBe(false);
    await waitFor('the end', () => calls.includes('disconnect alice'));
    expect(calls).toEqual(['connect custom alice', 'leave', 'disconnect alice']);
    await app.hub.broadcast('late');
    await app.hub.publish('room:welcome', 2);
    expect(recorder.messages.at(-1)).toMatchObject({ data: 1 });
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });

  it('registering twice is one registration, and after unregistering a new one', async () => {
    const app = await createApp({ providers: [Hooks] });
    const recorder = new Recorder();
    const first = app.hub.register(recorder);
    expect(app.hub.register(recorder)).toBe(first);
    expect(app.hub.stats().clients).toBe(1);
    app.hub.unregister(recorder);
    const second = app.hub.register(recorder);
    expect(second.id).not.toBe(first.id);
    expect(app.hub.stats().clients).toBe(1);
  });

  it('an @OnConnect that refuses closes it', async () => {
    const app = await createApp({ providers: [Hooks] });
    app.app.useLogger(false);
    const hooks = app.app.get(Hooks);
    hooks.refuse = true;
    const recorder = new Recorder();
    app.hub.register(recorder, { user: alice });
    await waitFor('the close', () => recorder.closes.length === 1);
    await waitFor('the end', () => hooks.calls.includes('disconnect alice'));
    expect(app.hub.stats().clients).toBe(0);
  });

  it('the server can disconnect it like any other', async () => {
    const app = await createApp({ providers: [Hooks] });
    const { calls } = app.app.get(Hooks);
    const recorder = new Recorder();
    const { id } = app.hub.register(recorder, { user: alice });
    await app.hub.disconnect({ connectionId: id }, { code: 4000, reason: 'bye' });
    expect(recorder.closes).toEqual([[4000, 'bye']]);
    await waitFor('the end', () => calls.includes('disconnect alice'));
    expect(app.hub.stats().clients).toBe(0);
    expect(app.hub.unregister(recorder)).toBe(false);
  });

  it('CHECKLIST 17: what it refuses is counted, and nobody else misses anything', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('room:a');
    const recorder = new Recorder();
    const { id } = app.hub.register(recorder);
    await app.hub.subscribe({ connectionId: id }, 'room:a');
    recorder.accepts = false;
    for (let n = 0; n < 3; n++) await app.hub.publish('room:a', n);
    expect(app.hub.stats()).toMatchObject({ dropped: 3, delivered: 3 });
    await client.settled();
    expect(client.ofType('message').map(({ data }) => data)).toEqual([0, 1, 2]);
  });

  it('CHECKLIST 18: one that throws harms nobody, not even at shutdown', async () => {
    const app = await start({ providers: [Hooks], realtime: { channels: { '*': {} } } });
    app.app.useLogger(false);
    const clients = await Promise.all([1, 2].map(() => TestClient.connect(`${app.url}/ws`)));
    await clients[0]!.subscribe('room:a');
    const { id } = app.hub.register(new Throwing());
    await app.hub.subscribe({ connectionId: id }, 'room:a');
    await clients[1]!.subscribe('room:a');
    await app.hub.publish('room:a', 1);
    await app.hub.broadcast('all', 2);
    for (const client of clients) {
      expect((await client.next('message')).data).toBe(1);
      expect((await client.next('all')).data).toBe(2);
    }
    await app.close();
    for (const client of clients) expect((await client.closed).code).toBe(1001);
    expect(app.app.get(Hooks).calls.filter((call) => call === 'disconnect undefined')).toHaveLength(3);
  });

  it('CHECKLIST 13: is closed at shutdown, its @OnDisconnect runs once', async () => {
    const app = await start({ providers: [Hooks] });
    const recorder = new Recorder();
    app.hub.register(recorder, { user: alice });
    await app.close();
    expect(recorder.closes).toEqual([[1001, expect.any(String)]]);
    expect(app.app.get(Hooks).calls.filter((call) => call === 'disconnect alice')).toHaveLength(1);
    expect(app.hub.unregister(recorder)).toBe(false);
  });

  it('may publish, unregister itself and be registered anew from within send()', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const seen: string[] = [];
    const restless: Subscriber = {
      send: ({ text }) => {
        const { type } = JSON.parse(text) as TestFrame;
        seen.push(type);
        if (type === 'first') void app.hub.publish('room:a', 2, { type: 'second' });
        if (type === 'second') app.hub.unregister(restless);
        return true;
      },
      close: () => undefined,
    };
    const { id } = app.hub.register(restless);
    await app.hub.subscribe({ connectionId: id }, 'room:a');
    await app.hub.publish('room:a', 1, { type: 'first' });
    await app.hub.publish('room:a', 3, { type: 'third' });
    expect(seen).toEqual(['subscribed', 'first', 'second']);
    expect(app.hub.stats().clients).toBe(0);
  });
});

describe('CHECKLIST 14: after the shutdown', () => {
  /** Every method, with arguments that would do before. */
  const CALLS: [string, (hub: HubService) => unknown][] = [
    ['register', (hub) => hub.register(new Recorder())],
    ['publish', (hub) => hub.publish('room:a', 1)],
    ['broadcast', (hub) => hub.broadcast('x')],
    ['sendToUser', (hub) => hub.sendToUser('alice', 'x')],
    ['sendToConnection', (hub) => hub.sendToConnection('id', 'x')],
    ['subscribe', (hub) => hub.subscribe({ userId: 'alice' }, 'room:a')],
    ['unsubscribe', (hub) => hub.unsubscribe({ userId: 'alice' }, 'room:a')],
    ['disconnect', (hub) => hub.disconnect({ userId: 'alice' })],
    ['clearHistory', (hub) => hub.clearHistory('room:a')],
  ];

  it.each(CALLS)('%s throws HubClosedError', async (operation, call) => {
    const app = await start();
    await app.close();
    const calling = (async () => call(app.hub))();
    await expect(calling).rejects.toBeInstanceOf(HubClosedError);
    await expect(calling).rejects.toMatchObject({ operation, code: 'unavailable', message: expect.stringContaining(`hub.${operation}()`) });
  });

  it('another is safe, and so are several at once', async () => {
    const app = await start();
    const client = await TestClient.connect(`${app.url}/ws`);
    await Promise.all([app.hub.shutdown(), app.hub.shutdown(), app.close(), app.hub.shutdown()]);
    await app.hub.shutdown();
    expect((await client.closed).code).toBe(1001);
    expect(client.ofType('draining')).toHaveLength(1);
  });

  it('what can be asked is nobody and nothing', async () => {
    const app = await start({ realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('a');
    await app.close();
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    expect(app.hub.connections()).toEqual([]);
    expect(app.hub.channels()).toEqual([]);
    expect(app.hub.channelInfo('a')).toBeUndefined();
  });
});
