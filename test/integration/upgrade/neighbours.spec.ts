import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type INestApplication,
  ParseIntPipe,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { MessageBody, OnGatewayConnection, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer as ForeignServer } from 'ws';
import { apiKeys, BearerTokenGuard, OnMessage, PathConflictError } from 'nestjs-realtime';
import { createApp, createUnstartedApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RawSocket, rawUpgrade } from '../../support/raw-socket';
import { refusal, TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class EvenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return Number(context.switchToWs().getData()) % 2 === 0;
  }
}

abstract class NumbersGateway implements OnGatewayConnection {
  @WebSocketServer()
  server!: object;

  readonly urls: string[] = [];

  handleConnection(_client: unknown, request: IncomingMessage): void {
    this.urls.push(request.url ?? '');
  }

  @SubscribeMessage('double')
  double(@MessageBody(ParseIntPipe) n: number): { event: string; data: number } {
    return { event: 'doubled', data: 2 * n };
  }

  @SubscribeMessage('halve')
  @UseGuards(EvenGuard)
  halve(@MessageBody() n: number): { event: string; data: number } {
    return { event: 'halved', data: n / 2 };
  }
}

@WebSocketGateway({ path: '/numbers' })
class NumbersAtPath extends NumbersGateway {}

@WebSocketGateway({ path: '/ws/numbers' })
class NumbersBelowOurs extends NumbersGateway {}

@WebSocketGateway()
class NumbersAtRoot extends NumbersGateway {}

@Injectable()
class Handlers {
  @OnMessage('who')
  who(): string {
    return 'realtime';
  }
}

/** Speaks the `{ event, data }` of Nest's own gateways. */
class GatewayClient {
  readonly received: unknown[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.received.push(JSON.parse(data.toString())));
  }

  static async connect(url: string): Promise<GatewayClient> {
    const client = new GatewayClient(new WebSocket(url));
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  async ask(event: string, data: unknown): Promise<unknown> {
    this.received.length = 0;
    this.socket.send(JSON.stringify({ event, data }));
    return waitFor(`an answer to ${event}`, () => this.received[0]);
  }
}

describe.each(PLATFORMS)('other gateways on the same server, over %s', (platform) => {
  let app: TestApp;
  const start = async (gateway: Type, path = '/ws'): Promise<void> => {
    app = await createApp({
      platform,
      providers: [gateway, Handlers],
      realtime: { path, guards: [BearerTokenGuard], auth: { authenticator: apiKeys({ key: 'alice' }) }, origins: [] },
    });
  };
  afterEach(() => app.close());

  const authorized = { headers: { authorization: 'Bearer key' } };

  it.each<[string, Type, string, string]>([
    ['beside ours', NumbersAtPath, '/numbers', '/ws'],
    ['below ours', NumbersBelowOurs, '/ws/numbers', '/ws'],
    ['at the root', NumbersAtRoot, '/', '/ws'],
    ['beside ours at the root', NumbersAtPath, '/numbers', '/'],
  ])('%s work as before, with their guards and pipes', async (_where, gateway, path, ours) => {
    await start(gateway, ours);
    // Neither our guards nor our origins are theirs.
    const client = await GatewayClient.connect(app.url + path);
    expect(await client.ask('double', '21')).toEqual({ event: 'doubled', data: 42 });
    expect(await client.ask('halve', 8)).toEqual({ event: 'halved', data: 4 });
    expect(await client.ask('halve', 7)).toMatchObject({ event: 'exception', data: { message: 'Forbidden resource' } });
    expect(await client.ask('double', 'x')).toMatchObject({ event: 'exception' });
    expect(app.hub.stats().clients).toBe(0);
    expect(app.app.get<NumbersGateway>(gateway).urls).toEqual([path]);

    expect((await refusal(app.url + ours)).status).toBe(401);
    const realtime = await TestClient.connect(app.url + ours, authorized);
    expect(await realtime.request({ type: 'who' })).toMatchObject({ data: 'realtime' });
    expect((await refusal(`${app.url}/no/where`)).status).toBe(404);
  });

  it('get the query of their URL', async () => {
    await start(NumbersAtPath);
    await GatewayClient.connect(`${app.url}/numbers?token=1`);
    expect(app.app.get(NumbersAtPath).urls).toEqual(['/numbers?token=1']);
  });

  it('do not get our clients, nor we theirs', async () => {
    await start(NumbersAtPath);
    const theirs = await GatewayClient.connect(`${app.url}/numbers`);
    const ours = await TestClient.connect(`${app.url}/ws`, authorized);
    await app.hub.broadcast('news', {});
    await ours.next('news');
    expect(theirs.received).toEqual([]);
    const answer = await ours.request({ type: 'double', event: 'double', data: 1 });
    expect(answer).toMatchObject({ type: 'error', data: { code: 'unknown_type' } });
  });

  it('on a port of their own keep it', async () => {
    const port = await freePort();
    @WebSocketGateway(port, { path: '/numbers' })
    class NumbersElsewhere extends NumbersGateway {}
    await start(NumbersElsewhere);
    const client = await GatewayClient.connect(`ws://127.0.0.1:${port}/numbers`);
    expect(await client.ask('double', 1)).toEqual({ event: 'doubled', data: 2 });
    expect((await refusal(`${app.url}/numbers`)).status).toBe(404);
    await (await TestClient.connect(`${app.url}/ws`, authorized)).close();
  });

  it('are closed with the application', async () => {
    await start(NumbersAtPath);
    const client = await GatewayClient.connect(`${app.url}/numbers`);
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    await app.close();
    await closed;
    expect((app.app.getHttpServer() as Server).listenerCount('upgrade')).toBe(0);
  });
});

describe('another gateway at the very path of ours', () => {
  it.each<[string, Type, string]>([
    ['/numbers', NumbersAtPath, '/numbers/'],
    ['/', NumbersAtRoot, '/'],
  ])('%s stops the start: one of them would never be reached', async (path, gateway, ours) => {
    const app = await createUnstartedApp({ providers: [gateway], realtime: { path: ours } });
    const error: unknown = await app.init().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PathConflictError);
    expect(error).toMatchObject({ path, message: expect.stringContaining(`"${path}"`) });
    await app.close();
  });
});

describe.each(PLATFORMS)('upgrade listeners of other libraries on the same server, over %s', (platform) => {
  let app: TestApp;
  let foreign: ForeignServer;
  afterEach(async () => {
    for (const client of foreign.clients) client.terminate();
    await app.close();
  });

  /** As a library does it that minds its own path and leaves the rest alone. */
  const listenAt = (server: Server, path: string): void => {
    foreign = new ForeignServer({ noServer: true });
    foreign.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url !== path) return;
      // Not in the same turn: it may have somebody to ask first.
      setTimeout(() => {
        foreign.handleUpgrade(request, socket, head, (webSocket) => foreign.emit('connection', webSocket, request));
      }, 20);
    });
  };

  const start = async (when: 'before' | 'after', realtime = {}): Promise<void> => {
    const serverOf = (nest: INestApplication): Server => nest.getHttpServer() as Server;
    app = await createApp({
      platform,
      realtime: { channels: { '*': {} }, ...realtime },
      prepare: (nest) => (when === 'before' ? listenAt(serverOf(nest), '/foreign') : undefined),
    });
    if (when === 'after') listenAt(serverOf(app.app), '/foreign');
  };

  it.each(['before', 'after'] as const)('keep their path, added %s the start', async (when) => {
    await start(when);
    const socket = new WebSocket(`${app.url}/foreign`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const answer = new Promise<string>((resolve) => socket.once('message', (data: Buffer) => resolve(data.toString())));
    socket.send('hi');
    expect(await answer).toBe('echo hi');
    await (await TestClient.connect(`${app.url}/ws/lobby`)).close();
    expect(foreign.clients.size).toBe(1);
  });

  it('are waited for no longer than limits.handshakeTimeout: then it is a 404', async () => {
    await start('before', { limits: { handshakeTimeout: 100 } });
    const answer = await rawUpgrade(app.port, '/nowhere');
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 404, message: 'Cannot GET /nowhere' });
  });

  it('do not keep the application from closing by what they leave unanswered', async () => {
    await start('before', { limits: { handshakeTimeout: '1h' } });
    const client = await RawSocket.open(app.port);
    client.upgrade('/nowhere');
    // Answered in order, so the one before has been seen.
    await TestClient.connect(`${app.url}/ws`);
    await app.close();
    await client.closed;
    expect((app.app.getHttpServer() as Server).listening).toBe(false);
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
