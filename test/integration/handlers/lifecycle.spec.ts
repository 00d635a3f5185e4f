import type { Socket } from 'node:net';
import { ForbiddenException, type INestApplication, Injectable, UnauthorizedException } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import {
  type Connection,
  ConnectedClient,
  type DisconnectEvent,
  HubService,
  OnConnect,
  OnDisconnect,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  RealtimeError,
} from 'nestjs-realtime';
import { createApp as start, PLATFORMS, type TestApp } from '../../support/create-app';
import { RawWebSocket } from '../../support/raw-websocket';
import { RecordingLogger } from '../../support/recording-logger';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { type Deferred, deferred, waitFor } from '../../support/wait-for';

const IN_ROOM = { channels: { '*': { presence: true } } };

/** Notes the stages of every connection, and lets a test hold each of them. */
@Injectable()
class Stages {
  readonly calls: string[] = [];
  readonly hold: Partial<Record<'connect' | 'disconnect', Deferred>> = {};
  throwing: unknown;

  constructor(private readonly hub: HubService) {}

  @OnConnect()
  async connect(@ConnectedClient() client: Connection): Promise<void> {
    this.calls.push('connect');
    await this.hold.connect?.promise;
    if (this.throwing !== undefined) throw this.throwing;
    client.data.set('ready', true);
    this.calls.push('connected');
  }

  @OnMessage('ready?')
  ready(@ConnectedClient() client: Connection): unknown {
    this.calls.push('message');
    return client.data.get('ready') ?? false;
  }

  @OnSubscribe('room:{name}')
  join(@ConnectedClient() client: Connection): unknown {
    this.calls.push('subscribe');
    return client.data.get('ready') ?? false;
  }

  @OnUnsubscribe('room:{name}')
  leave(): void {
    this.calls.push('unsubscribe');
  }

  @OnDisconnect()
  async disconnect(@ConnectedClient() client: Connection, @MessageBody() event: DisconnectEvent): Promise<void> {
    const listed = this.hub.connections().some(({ id }) => id === client.id);
    this.calls.push(`disconnect ${event.code}${listed ? ' still listed' : ''}`);
    await this.hold.disconnect?.promise;
    this.calls.push('disconnected');
  }
}

describe.each(PLATFORMS)('@OnConnect, over %s', (platform) => {
  const createApp = testApps(platform);

  it('finishes before the first message is handled, though messages were sent with the handshake already', async () => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { hold, calls } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws?room=lobby`, { greeted: false });
    client.send({ type: 'ready?', id: 1 });
    client.send({ type: 'subscribe', channel: 'room:a', id: 2 });
    client.send({ type: 'ping', id: 3 });
    await waitFor('the handler', () => calls.includes('connect'));
    expect(client.frames).toEqual([]);
    hold.connect.resolve();
    expect(await client.take(() => true)).toMatchObject({ type: 'connected', data: { channels: ['room:lobby'] } });
    expect(await client.take(({ id }) => id === 1)).toMatchObject({ type: 'ack', data: true });
    expect(await client.take(({ id }) => id === 2)).toMatchObject({ type: 'subscribed', data: true });
    expect(calls.slice(0, 2)).toEqual(['connect', 'connected']);
  });

  it('keeps a client waiting that sends more than fits its queue, and loses nothing of it', async () => {
    const sockets: Socket[] = [];
    const noteSockets = (nest: INestApplication): unknown => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket));
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM, prepare: noteSockets });
    const { hold } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    const before = sockets[0]!.bytesRead;
    for (let id = 0; id < 600; id++) client.send({ type: id % 2 === 0 ? 'ready?' : 'ping', id });
    // All that the server reads before it pauses.
    await waitFor('the messages', () => sockets[0]!.bytesRead > before && sockets[0]!.isPaused());
    hold.connect.resolve();
    await waitFor('all replies', () => client.frames.length === 601);
    expect(client.frames[0]).toMatchObject({ type: 'connected' });
    expect(client.ofType('ack').map(({ data }) => data)).toEqual(Array.from({ length: 300 }, () => true));
    expect(client.ofType('pong')).toHaveLength(300);
  });

  it('takes nobody for slow who cannot be reading yet, however many messages follow the greeting', async () => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { hold } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    await waitFor('the connection', () => app.hub.stats().clients === 1);
    const numbers = Array.from({ length: 600 }, (_, n) => n);
    for (const n of numbers) await app.hub.broadcast('tick', n);
    hold.connect.resolve();
    await waitFor('all of them', () => client.frames.length === 601);
    expect(client.frames[0]).toMatchObject({ type: 'connected' });
    expect(client.ofType('tick').map(({ data }) => data)).toEqual(numbers);
    expect(app.hub.stats()).toMatchObject({ clients: 1, evicted: 0, dropped: 0 });
  });

  it('what the server sends meanwhile follows the greeting', async () => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { hold } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws/lobby`, { greeted: false });
    const [connection] = await waitFor('the connection', () => app.hub.connections());
    await app.hub.subscribe({ connectionId: connection!.id }, 'room:news');
    for (let i = 0; i < 200; i++) await app.hub.publish('room:news', i, { type: 'news' });
    hold.connect.resolve();
    await client.take(({ data }) => data === 199);
    expect(client.frames[0]).toMatchObject({ type: 'connected' });
    expect(client.ofType('news').map(({ data }) => data)).toEqual(Array.from({ length: 199 }, (_, i) => i));
  });

  it.each([
    ['UnauthorizedException', new UnauthorizedException(), 4501],
    ['ForbiddenException', new ForbiddenException(), 4503],
    ['RealtimeError', new RealtimeError('conflict', 'twice'), 4503],
    ['an unexpected error', new Error('secret detail'), 1011],
    ['an object without a prototype', Object.create(null) as unknown, 1011],
  ])('CHECKLIST 18: %s ends the connection, no message of it is handled, and the hub lives on', async (_, error, code) => {
    const app = await createApp({ providers: [Stages] });
    app.app.useLogger(false);
    const stages = app.app.get(Stages);
    stages.throwing = error;
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    client.send({ type: 'ready?' });
    const closed = await client.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).not.toContain('secret');
    expect(client.ofType('connected')).toEqual([]);
    await waitFor('the disconnect', () => stages.calls.includes('disconnected'));
    expect(stages.calls).toEqual(['connect', `disconnect ${code}`, 'disconnected']);
    expect(app.hub.stats().clients).toBe(0);
    stages.throwing = undefined;
    expect(await (await TestClient.connect(`${app.url}/ws`)).request({ type: 'ready?' })).toMatchObject({ data: true });
  });

  it('that never ends closes the connection with 1011 after limits.handshakeTimeout, and no message of it is handled', async () => {
    const logger = new RecordingLogger();
    const realtime = { ...IN_ROOM, limits: { handshakeTimeout: 30 } };
    const app = await createApp({ providers: [Stages], realtime, prepare: (nest) => nest.useLogger(logger) });
    const { hold, calls } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws/lobby`, { greeted: false });
    client.send({ type: 'ready?' });
    expect(await client.closed).toEqual({ code: 1011, reason: 'server error' });
    expect(client.frames).toEqual([]);
    await waitFor('the disconnect', () => calls.includes('disconnected'));
    expect(calls).toEqual(['connect', 'disconnect 1011', 'disconnected']);
    expect(logger.text).toContain('longer than 30 ms (limits.handshakeTimeout)');
    expect((await fetch(`${app.url.replace('ws', 'http')}/ws/events`)).status).toBe(500);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('that never ends lets a connection that ended meanwhile go, with its @OnDisconnect', async () => {
    const app = await createApp({ providers: [Stages], realtime: { limits: { handshakeTimeout: 50 } } });
    app.app.useLogger(false);
    const { hold, calls } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    await waitFor('the handler', () => calls.includes('connect'));
    await client.close();
    await waitFor('the disconnect', () => calls.includes('disconnected'));
    expect(calls).toEqual(['connect', 'disconnect 1005', 'disconnected']);
  });

  it('is followed by the greeting although a channel to join is never decided about', async () => {
    @Injectable()
    class Undecided {
      @OnSubscribe('room:slow')
      join(): Promise<never> {
        return new Promise(() => undefined);
      }
    }
    const app = await createApp({ providers: [Undecided], realtime: { ...IN_ROOM, limits: { handshakeTimeout: 30 } } });
    const client = await TestClient.connect(`${app.url}/ws?room=slow&room=quick`, { greeted: false });
    expect(await client.next('connected')).toMatchObject({ data: { channels: ['room:quick'] } });
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    const aborted = new AbortController();
    const stream = await fetch(`${app.url.replace('ws', 'http')}/ws/events?channel=room:slow`, { signal: aborted.signal });
    expect(stream.status).toBe(200);
    aborted.abort();
  });

  it('is waited for by @OnDisconnect, when the client goes while it runs', async () => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { hold, calls } = app.app.get(Stages);
    hold.connect = deferred();
    const client = await TestClient.connect(`${app.url}/ws/lobby`, { greeted: false });
    await waitFor('the handler', () => calls.includes('connect'));
    await client.close();
    await waitFor('nobody', () => app.hub.stats().clients === 0);
    expect(calls).toEqual(['connect']);
    hold.connect.resolve();
    await waitFor('the disconnect', () => calls.includes('disconnected'));
    expect(calls).toEqual(['connect', 'connected', 'disconnect 1005', 'disconnected']);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    expect((await app.hub.presence('room:lobby')).count).toBe(0);
  });
});

describe.each(PLATFORMS)('CHECKLIST 13: @OnDisconnect, over %s', (platform) => {
  const createApp = testApps(platform);

  /** The ways in which a connection may end, and the code that the handler is told. */
  const ENDS: [string, number, (app: TestApp, client: TestClient) => unknown][] = [
    ['the client closes', 1000, (_, client) => client.socket.close(1000)],
    ['the client closes without a code', 1005, (_, client) => client.socket.close()],
    ['the client closes with a code of its own', 4321, (_, client) => client.socket.close(4321, 'mine')],
    ['the client vanishes', 1006, (_, client) => client.socket.terminate()],
    ['the client sends too much', 1009, (_, client) => client.socket.send('x'.repeat(65_537))],
    ['the client breaks the WebSocket protocol', 1007, (_, client) => client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
    ['the server disconnects it', 4503, (app) => app.hub.disconnect({ connectionId: app.hub.connections()[0]!.id })],
    ['the server disconnects it with a code', 4000, (app) => app.hub.disconnect({ connectionId: app.hub.connections()[0]!.id }, { code: 4000 })],
    ['the hub is shut down', 1001, (app) => app.hub.shutdown()],
  ];

  it.each(ENDS)('runs exactly once, after @OnUnsubscribe, when %s (%i)', async (_, code, end) => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { calls } = app.app.get(Stages);
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    await end(app, client);
    const { code: seen } = await client.closed;
    expect([code, 1006]).toContain(seen);
    await waitFor('the disconnect', () => calls.includes('disconnected'));
    await app.close();
    expect(calls.slice(3)).toEqual(['unsubscribe', `disconnect ${code}`, 'disconnected']);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });

  it('runs once for a client that is evicted, with 4008', async () => {
    const app = await createApp({ providers: [Stages], realtime: { ...IN_ROOM, limits: { sendQueueBytes: 100_000 } } });
    const { calls } = app.app.get(Stages);
    const client = await RawWebSocket.open(app.port, '/ws/lobby');
    await client.message('subscribed');
    client.stopReading();
    await waitFor('the eviction', async () => {
      await app.hub.publish('room:lobby', 'x'.repeat(60_000));
      return calls.includes('disconnected');
    });
    expect(calls.filter((call) => call.startsWith('disconnect'))).toEqual(['disconnect 4008', 'disconnected']);
    client.destroy();
  });

  it('is awaited at shutdown', async () => {
    const app = await start({ platform, providers: [Stages] });
    const { calls, hold } = app.app.get(Stages);
    hold.disconnect = deferred();
    await TestClient.connect(`${app.url}/ws`);
    await TestClient.connect(`${app.url}/ws`);
    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await waitFor('both hooks', () => calls.filter((call) => call === 'disconnect 1001').length === 2);
    // A turn of everything that does not wait for the hook.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closed).toBe(false);
    hold.disconnect.resolve();
    await closing;
    expect(calls.filter((call) => call === 'disconnected')).toHaveLength(2);
  });

  it('that never ends holds a shutdown no longer than shutdown.timeout', async () => {
    const app = await start({ platform, providers: [Stages], realtime: { shutdown: { timeout: 100 } } });
    app.app.get(Stages).hold.disconnect = deferred();
    await TestClient.connect(`${app.url}/ws`);
    await app.close();
    expect(app.hub.stats().clients).toBe(0);
  });

  it('may still publish at shutdown', async () => {
    @Injectable()
    class Farewell {
      result: unknown;
      constructor(private readonly hub: HubService) {}
      @OnDisconnect()
      async disconnect(): Promise<void> {
        this.result = await this.hub.publish('room:lobby', 'bye');
      }
    }
    const app = await start({ platform, providers: [Farewell] });
    await TestClient.connect(`${app.url}/ws`);
    await app.close();
    expect(app.app.get(Farewell).result).toMatchObject({ delivered: 'cluster' });
  });

  it('CHECKLIST 18: one that throws keeps no other from running, nor the shutdown from ending', async () => {
    @Injectable()
    class Throwing {
      @OnDisconnect()
      disconnect(): void {
        throw Object.create(null);
      }
      @OnUnsubscribe('room:{name}')
      leave(): never {
        throw new Error('unsubscribe failed');
      }
    }
    const logger = new RecordingLogger();
    const app = await start({ platform, providers: [Throwing, After], realtime: IN_ROOM, prepare: (nest) => nest.useLogger(logger) });
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    await client.close();
    await waitFor('the other handler', () => app.app.get(After).count === 1);
    expect(logger.text).toContain('unsubscribe failed');
    expect(logger.text).toContain('Throwing.disconnect failed');
    await app.close();
  });
});

@Injectable()
class After {
  count = 0;
  @OnDisconnect()
  disconnect(): void {
    this.count++;
  }
}

describe.each(PLATFORMS)('@OnUnsubscribe, over %s', (platform) => {
  const createApp = testApps(platform);

  it('runs once for each channel that is left, however it is left', async () => {
    const app = await createApp({ providers: [Stages], realtime: IN_ROOM });
    const { calls } = app.app.get(Stages);
    const left = (): number => calls.filter((call) => call === 'unsubscribe').length;
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const channel of ['room:a', 'room:b', 'room:c', 'room:d']) await client.subscribe(channel);
    await client.request({ type: 'unsubscribe', channel: 'room:a' });
    await client.request({ type: 'unsubscribe', channel: 'room:a' });
    await waitFor('the first', () => left() === 1);
    await app.hub.unsubscribe({ connectionId: app.hub.connections()[0]!.id }, 'room:b');
    await waitFor('the second', () => left() === 2);
    await client.close();
    await waitFor('all', () => calls.includes('disconnected'));
    expect(left()).toBe(4);
  });
});
