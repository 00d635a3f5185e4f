import { type BeforeApplicationShutdown, Injectable, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { Server } from 'node:net';
import { MessageBody } from '@nestjs/websockets';
import { ChannelParam, HubClosedError, HubService, OnDisconnect, OnMessage, OnSubscribe, SubscribeChannel, type Subscriber } from 'nestjs-realtime';
import { createApp, createUnstartedApp, PLATFORMS } from '../../support/create-app';
import { RawSocket } from '../../support/raw-socket';
import { RecordingLogger } from '../../support/recording-logger';
import { refusal, TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

describe.each(PLATFORMS)('closing an application, over %s', (platform) => {
  it('CHECKLIST 46: tells clients when to come back, closes with 1001 and stops listening', async () => {
    const app = await createApp({ platform, realtime: { shutdown: { reconnectSpread: 100 } } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => TestClient.connect(`${app.url}/ws`)));
    await app.close();
    const delays = new Set<number>();
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 1001, reason: 'server shutting down' });
      expect(client.frames).toHaveLength(1);
      const { type, data } = client.frames[0]!;
      expect(type).toBe('draining');
      expect(data.reconnectAfter).toBeGreaterThanOrEqual(0);
      expect(data.reconnectAfter).toBeLessThanOrEqual(100);
      delays.add(data.reconnectAfter);
    }
    // They do not all come back at once.
    expect(delays.size).toBeGreaterThan(1);
    const server = app.app.getHttpServer() as Server;
    expect([server.listening, server.listenerCount('upgrade')]).toEqual([false, 0]);
    await expect(TestClient.connect(`${app.url}/ws`)).rejects.toThrow('ECONNREFUSED');
  });

  it('CHECKLIST 46: may be done twice, at once and one after the other', async () => {
    const app = await createApp({ platform, providers: [Lives] });
    app.app.get(Lives).finish.resolve();
    const client = await TestClient.connect(`${app.url}/ws`);
    await Promise.all([app.close(), app.close(), app.hub.shutdown()]);
    await app.close();
    await app.hub.shutdown();
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(app.app.get(Lives).events.filter((event) => event === 'disconnected')).toHaveLength(1);
  });

  it('CHECKLIST 46: waits for @OnDisconnect before the hooks that close what it needs', async () => {
    const app = await createApp({ platform, providers: [Lives] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const { finish, events } = app.app.get(Lives);
    const closing = app.close();
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(events).toEqual(['onModuleDestroy', 'beforeApplicationShutdown', 'disconnecting']);
    finish.resolve();
    await closing;
    expect(events.slice(-3)).toEqual(['disconnecting', 'disconnected', 'onApplicationShutdown']);
  });

  it('still delivers what is published while modules are destroyed', async () => {
    @Injectable()
    class LastWords implements OnModuleDestroy {
      constructor(private readonly hub: HubService) {}

      async onModuleDestroy(): Promise<void> {
        await this.hub.broadcast('bye', {});
      }
    }
    const app = await createApp({ platform, providers: [LastWords] });
    const client = await TestClient.connect(`${app.url}/ws`);
    await app.close();
    await client.closed;
    expect(client.frames.map(({ type }) => type)).toEqual(['bye', 'draining']);
  });

  it('refuses upgrades with 503 while it drains', async () => {
    const app = await createApp({ platform, providers: [Lives] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const closing = app.close();
    await client.closed;
    const answer = await refusal(`${app.url}/ws`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } });
    app.app.get(Lives).finish.resolve();
    await closing;
  });

  it('lets a handler that runs finish, and its answer is not missed', async () => {
    const started = deferred();
    const finish = deferred();
    const finished: string[] = [];
    @Injectable()
    class Slow {
      @OnMessage('work')
      async work(): Promise<string> {
        started.resolve();
        await finish.promise;
        finished.push('work');
        return 'done';
      }

      @OnDisconnect()
      disconnect(): void {
        finished.push('disconnect');
      }
    }
    const app = await createApp({ platform, providers: [Slow] });
    const client = await TestClient.connect(`${app.url}/ws`);
    client.send({ type: 'work', id: 1 });
    await started.promise;
    const closing = app.close().then(() => finished.push('closed'));
    await client.closed;
    finish.resolve();
    await closing;
    expect(finished.toSorted()).toEqual(['closed', 'disconnect', 'work']);
    expect(finished.at(-1)).toBe('closed');
  });

  it('in the middle of subscriptions and publications lets their handlers finish, and nothing of them is left', async () => {
    const app = await createApp({ platform, providers: [Halls], realtime: { channels: { 'room:{name}': { history: { size: 5, ttl: '1m' } } } } });
    const { finish, events } = app.app.get(Halls);
    const client = await TestClient.connect(`${app.url}/ws`);
    client.send({ type: 'subscribe', channel: 'hall:a', id: 1 });
    client.send({ type: 'say', channel: 'room:a', id: 2, data: 'late' });
    await waitFor('both handlers', () => events.length === 2);
    const closing = app.close();
    expect((await client.closed).code).toBe(1001);
    events.length = 0;
    finish.resolve();
    await closing;
    expect(events.toSorted()).toEqual(['joined a', 'said']);
    expect(client.frames.map(({ type }) => type)).toEqual(['draining']);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });

  it('does not wait for clients that never read, never answer or are half gone', async () => {
    const app = await createApp({ platform, providers: [Lives], realtime: { channels: { '*': {} } } });
    app.app.get(Lives).finish.resolve();
    const stalled = await TestClient.connect(`${app.url}/ws/lobby`);
    stalled.socket.pause();
    const silent = await RawSocket.open(app.port);
    silent.upgrade('/ws/lobby');
    await silent.response();
    silent.socket.pause();
    const half = await RawSocket.open(app.port);
    half.upgrade('/ws/lobby');
    await half.response();
    await waitFor('all to be there', () => app.hub.channelInfo('room:lobby')?.subscribers === 3);
    half.socket.end();
    // More than the sockets' buffers take.
    for (let i = 0; i < 200; i++) await app.hub.publish('room:lobby', 'x'.repeat(50_000));
    await app.close();
    expect((app.app.getHttpServer() as Server).listening).toBe(false);
    expect(app.hub.stats().clients).toBe(0);
    expect(app.app.get(Lives).events.filter((event) => event === 'disconnected')).toHaveLength(3);
    stalled.socket.terminate();
    silent.reset();
    half.reset();
  });

  it('does not wait longer than shutdown.timeout for a handler that never ends', async () => {
    @Injectable()
    class Never {
      @OnDisconnect()
      disconnect(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    const app = await createApp({ platform, providers: [Never], realtime: { shutdown: { timeout: 50 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await app.close();
    expect(await client.closed).toMatchObject({ code: 1001 });
  });

  it('runs the other handlers though one throws', async () => {
    @Injectable()
    class Throwing {
      @OnDisconnect()
      disconnect(): void {
        throw new Error('no database');
      }
    }
    const logger = new RecordingLogger();
    const app = await createApp({
      platform,
      providers: [Throwing, Lives],
      prepare: (nest) => nest.useLogger(logger),
    });
    app.app.get(Lives).finish.resolve();
    await TestClient.connect(`${app.url}/ws`);
    await app.close();
    expect(app.app.get(Lives).events).toContain('disconnected');
    expect(logger.text).toContain('no database');
  });

  it('closes subscribers of the application too, and lets nobody register or publish afterwards', async () => {
    const app = await createApp({ platform });
    const closed: unknown[] = [];
    const subscriber: Subscriber = { send: () => true, close: (...args) => void closed.push(args) };
    app.hub.register(subscriber);
    await app.close();
    expect(closed).toEqual([[1001, 'server shutting down']]);
    expect(() => app.hub.register({ send: () => true, close: () => undefined })).toThrow(HubClosedError);
    await expect(app.hub.publish('news', {})).rejects.toBeInstanceOf(HubClosedError);
    await expect(app.hub.broadcast('news', {})).rejects.toBeInstanceOf(HubClosedError);
    await expect(app.hub.disconnect({ userId: 'alice' })).rejects.toBeInstanceOf(HubClosedError);
  });

  it('before it has started is no fault', async () => {
    const app = await createUnstartedApp({ platform });
    await app.close();
    await expect(app.get(HubService).publish('news')).rejects.toBeInstanceOf(HubClosedError);
  });
});

/** Handlers that begin and do not end before they are told to. */
@Injectable()
class Halls {
  readonly events: string[] = [];
  readonly finish = deferred();

  @OnSubscribe('hall:{name}')
  async join(@ChannelParam('name') name: string): Promise<void> {
    this.events.push('joining');
    await this.finish.promise;
    this.events.push(`joined ${name}`);
  }

  @SubscribeChannel('room:{name}', { requireSubscription: false })
  async say(@MessageBody() body: string): Promise<string> {
    this.events.push('saying');
    await this.finish.promise;
    this.events.push('said');
    return body;
  }
}

@Injectable()
class Lives implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly events: string[] = [];
  /** What `@OnDisconnect` waits for. */
  readonly finish = deferred();

  onModuleDestroy(): void {
    this.events.push('onModuleDestroy');
  }

  beforeApplicationShutdown(): void {
    this.events.push('beforeApplicationShutdown');
  }

  onApplicationShutdown(): void {
    this.events.push('onApplicationShutdown');
  }

  @OnDisconnect()
  async disconnect(): Promise<void> {
    this.events.push('disconnecting');
    await this.finish.promise;
    this.events.push('disconnected');
  }
}
