import { Injectable } from '@nestjs/common';
import type { CanActivate, Provider } from '@nestjs/common';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { OnConnect, OnDisconnect, OnHandshake } from 'nestjs-realtime';
import type { RealtimeModuleOptions } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { RawSocket, rawUpgrade } from '../../support/raw-socket';
import { refusal, TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

/** A guard that answers when it is told to. */
class ThinkingGuard implements CanActivate {
  private readonly decision = deferred<boolean>();
  asked = 0;

  canActivate(): Promise<boolean> {
    this.asked++;
    return this.decision.promise;
  }

  decide(passes: boolean): void {
    this.decision.resolve(passes);
  }
}

@Injectable()
class Lives {
  connected = 0;
  disconnected = 0;

  handshakes = 0;

  @OnHandshake()
  handshake(): void {
    this.handshakes++;
  }

  @OnConnect()
  connect(): void {
    this.connected++;
  }

  @OnDisconnect()
  disconnect(): void {
    this.disconnected++;
  }
}

const sockets = (app: TestApp): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = app.app.getHttpServer() as Server;
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

describe.each(PLATFORMS)('upgrades that are interrupted, over %s', (platform) => {
  let app: TestApp;
  let guard: ThinkingGuard;
  let logger: RecordingLogger;

  const start = async (realtime: RealtimeModuleOptions = {}, providers: Provider[] = []): Promise<void> => {
    guard = new ThinkingGuard();
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      providers: [Lives, ...providers],
      realtime: { guards: [guard], ...realtime },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(() => app.close());

  const begin = async (path = '/ws'): Promise<RawSocket> => {
    const client = await RawSocket.open(app.port);
    const asked = guard.asked;
    client.upgrade(path);
    await waitFor('the guard to be asked', () => guard.asked > asked);
    return client;
  };

  describe('that are never decided', () => {
    const never = (): Promise<never> => new Promise(() => undefined);

    @Injectable()
    class NeverAnswers {
      @OnHandshake()
      handshake(): Promise<void> {
        return never();
      }
    }

    it.each<[string, RealtimeModuleOptions, Provider[]]>([
      ['a guard', { guards: [{ canActivate: never }] }, []],
      ['a handshake handler', { guards: [] }, [NeverAnswers]],
      ['an origin function', { guards: [], origins: never }, []],
      ['an authenticator', { guards: [], auth: { authenticator: never } }, []],
    ])('by %s are refused with 503 after limits.handshakeTimeout', async (_who, realtime, providers) => {
      await start({ ...realtime, limits: { handshakeTimeout: 30, connections: 1 } }, providers);
      const headers = { Origin: 'http://localhost', Authorization: 'Bearer key' };
      // Twice: the first has given its place back.
      for (let i = 0; i < 2; i++) {
        const answer = await rawUpgrade(app.port, '/ws', headers);
        expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } });
        expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 503, error: 'Service Unavailable' });
      }
      expect(app.app.get(Lives).connected).toBe(0);
      await waitFor('the sockets to be gone', async () => (await sockets(app)) === 0);
    });

    it('connect nobody when the decision comes too late, and tell no hook', async () => {
      const failures: unknown[] = [];
      await start({
        limits: { handshakeTimeout: 30 },
        auth: { onFailure: (_request, result) => failures.push(result) },
      });
      const client = await begin();
      expect((await client.response()).status).toBe(503);
      guard.decide(true);
      await client.closed;
      expect((await client.response()).status).toBe(503);
      expect(app.app.get(Lives)).toMatchObject({ connected: 0, handshakes: 0 });
      expect(failures).toEqual([]);
    });
  });

  describe('by a client that goes away while a guard thinks', () => {
    it.each<[string, (client: RawSocket) => void]>([
      ['with a FIN', (client) => client.socket.destroy()],
      ['with a RST', (client) => client.reset()],
      ['half', (client) => client.socket.end()],
    ])('%s connect nobody, leave nothing and are no fault', async (_how, leave) => {
      await start({ limits: { connections: 1 } });
      const serverSocket = once(app.app.getHttpServer() as Server, 'connection') as Promise<[Socket]>;
      const client = await begin();
      const [socket] = await serverSocket;
      leave(client);
      await waitFor('the server to notice', () => socket.destroyed || socket.readableEnded);
      guard.decide(true);

      await waitFor('the socket to be gone', async () => (await sockets(app)) === 0);
      expect(app.hub.stats().clients).toBe(0);
      const { connected, disconnected } = app.app.get(Lives);
      expect(connected).toBe(disconnected);
      expect(logger.text).not.toMatch(/^(error|warn)/m);
      // Its place is free.
      await (await TestClient.connect(`${app.url}/ws`)).close();
    });

    it('get no answer written when it is refused afterwards', async () => {
      await start();
      const client = await begin();
      client.reset();
      guard.decide(false);
      await waitFor('the socket to be gone', async () => (await sockets(app)) === 0);
      expect(logger.text).not.toMatch(/^(error|warn)/m);
    });
  });

  it('in every way at once leave no connection, no place taken and no socket', async () => {
    const slowly: CanActivate = {
      canActivate: async (context) => {
        const request = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
        await new Promise((resolve) => setTimeout(resolve, 1));
        return request.headers['x-refuse'] === undefined;
      },
    };
    await start({ guards: [slowly], limits: { connections: 1_000 } });
    const ways: ((client: RawSocket) => void)[] = [
      (client) => client.upgrade('/ws'),
      (client) => client.upgrade('/ws', { 'X-Refuse': 'yes' }),
      (client) => client.upgrade('/ws', { 'Sec-WebSocket-Key': 'none' }),
      (client) => client.upgrade('/nowhere'),
      (client) => client.upgrade('/ws/%'),
      (client) => client.socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso'),
    ];
    const ends: ((client: RawSocket) => unknown)[] = [
      (client) => client.reset(),
      (client) => client.socket.end(),
      (client) => client.socket.destroy(),
      async (client) => {
        await Promise.race([client.response(), client.closed]);
        client.reset();
      },
    ];
    const clients = await Promise.all(Array.from({ length: 120 }, () => RawSocket.open(app.port)));
    // 6 and 5 have no common factor: every way meets every end, at once or after a while.
    await Promise.all(
      clients.map(async (client, i) => {
        const half = ways[i % ways.length] === ways.at(-1);
        ways[i % ways.length]!(client);
        if (i % 5 > 2) await new Promise((resolve) => setTimeout(resolve, i % 5));
        const end = ends[Math.floor(i / ways.length) % ends.length]!;
        await (half && end === ends.at(-1) ? client.reset() : end(client));
      }),
    );
    await waitFor('all sockets to be gone', async () => (await sockets(app)) === 0);
    await waitFor('all connections to be gone', () => app.hub.stats().clients === 0);
    const lives = app.app.get(Lives);
    await waitFor('every life to end', () => lives.connected === lives.disconnected);
    expect(logger.text).not.toMatch(/^(error|warn|fatal)/m);
    await (await TestClient.connect(`${app.url}/ws`)).close();
  });

  it('are held to limits.connections while they are undecided', async () => {
    await start({ limits: { connections: 2 } });
    const waiting = [await begin(), await begin()];
    expect((await refusal(`${app.url}/ws`)).status).toBe(503);
    guard.decide(true);
    for (const client of waiting) expect((await client.response()).status).toBe(101);
    expect(app.hub.stats().clients).toBe(2);
    expect((await refusal(`${app.url}/ws`)).status).toBe(503);
    for (const client of waiting) client.reset();
  });

  it('keep what a client sends before it is let in', async () => {
    await start();
    const client = await begin();
    // A masked text frame with {"type":"ping","id":1}, as eager clients send it right behind the request.
    const text = Buffer.from('{"type":"ping","id":1}');
    client.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    guard.decide(true);
    await waitFor('the pong', () => client.received.includes('"pong"'));
    expect(client.received.toString('latin1')).toMatch(/^HTTP\/1.1 101 [^]*"connected"[^]*"pong"/);
    client.reset();
  });

  describe('by a shutdown', () => {
    it('CHECKLIST 12: are answered with 503 at once, though the guard never answers', async () => {
      await start({ limits: { handshakeTimeout: '1h' } });
      const waiting = [await begin(), await begin('/ws/lobby')];
      const closing = app.close();
      for (const client of waiting) {
        const answer = await client.response();
        expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
        expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 503, message: 'The server is shutting down' });
        await client.closed;
      }
      await closing;
      expect(app.app.get(Lives).connected).toBe(0);
    });

    it('are answered with 503 when the guard says yes while the hub drains', async () => {
      await start();
      const client = await begin();
      await app.hub.shutdown();
      guard.decide(true);
      expect((await client.response()).status).toBe(503);
      expect(app.app.get(Lives).connected).toBe(0);
    });

    it('end in the middle of @OnConnect with 1001, and @OnDisconnect runs once after it', async () => {
      const connecting = deferred();
      const events: string[] = [];
      @Injectable()
      class SlowToConnect {
        @OnConnect()
        async connect(): Promise<void> {
          events.push('connecting');
          await connecting.promise;
          events.push('connected');
        }

        @OnDisconnect()
        disconnect(): void {
          events.push('disconnected');
        }
      }
      await start({}, [SlowToConnect]);
      guard.decide(true);
      const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
      await waitFor('the connect handler', () => events.length === 1);
      const closing = app.close();
      expect(await client.closed).toMatchObject({ code: 1001 });
      connecting.resolve();
      await closing;
      expect(events).toEqual(['connecting', 'connected', 'disconnected']);
    });
  });
});
