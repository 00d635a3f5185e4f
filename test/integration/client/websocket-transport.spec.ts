import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { type ConnectionState, type DisconnectedContext, RealtimeClient } from '../../../lib/client';

/** A server that speaks as much of the protocol as a handshake takes. */
class Endpoint {
  readonly requests: IncomingMessage[] = [];
  readonly sockets: WebSocket[] = [];
  /** Status of a refusal, for one handshake each. */
  readonly refusals: number[] = [];
  private readonly sink = new WebSocketServer({ noServer: true });
  private readonly server: Server = createServer();

  async start(): Promise<string> {
    this.server.on('upgrade', (request, socket, head) => {
      this.requests.push(request);
      const status = this.refusals.shift();
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.sink.handleUpgrade(request, socket, head, (webSocket) => this.welcome(webSocket));
    });
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }

  private welcome(socket: WebSocket): void {
    this.sockets.push(socket);
    socket.on('message', (data) => {
      const { type, id, data: payload } = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
      if (type === 'echo') socket.send(JSON.stringify({ type: 'ack', id, data: payload }));
    });
    socket.send(JSON.stringify({ type: 'connected', data: { connectionId: 'c1', channels: [] } }));
  }
}

/** Resolves with the next change to a state. */
function next(client: RealtimeClient, state: ConnectionState): Promise<Partial<DisconnectedContext>> {
  return new Promise((resolve) => {
    const remove = client.on('state', (now, context) => {
      if (now !== state) return;
      remove();
      resolve(context as Partial<DisconnectedContext>);
    });
  });
}

describe('the client with the class of the ws package', () => {
  const endpoint = new Endpoint();
  let url: string;
  let client: RealtimeClient | undefined;

  beforeAll(async () => {
    url = await endpoint.start();
  });
  afterEach(() => {
    client?.close();
    endpoint.requests.length = 0;
    endpoint.sockets.length = 0;
  });
  afterAll(() => endpoint.stop());

  const connect = (options = {}): RealtimeClient =>
    (client = new RealtimeClient(url, { WebSocket, minDelay: 1, maxDelay: 5, autoConnect: false, ...options }));

  it('connects with the subprotocol and the token in the header, and is answered', async () => {
    await connect({ token: () => Promise.resolve('secret') }).connect();
    expect(endpoint.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'sec-websocket-protocol': 'realtime.v1',
    });
    await expect(client!.request('echo', { text: 'grüße 🙂' })).resolves.toEqual({ text: 'grüße 🙂' });
  });

  it('can send the token as a subprotocol entry, or in the query', async () => {
    await connect({ token: 'a.b_c', tokenTransport: 'subprotocol' }).connect();
    client!.close();
    await connect({ token: 'a.b_c', tokenTransport: 'query' }).connect();
    const [first, second] = endpoint.requests;
    expect(first?.headers['sec-websocket-protocol']).toBe(`realtime.v1,bearer.${Buffer.from('a.b_c').toString('base64url')}`);
    expect(second?.url).toBe('/ws?token=a.b_c');
  });

  it('tells a 401 from a network failure, and comes back with a new token', async () => {
    endpoint.refusals.push(401);
    const tokens = ['stale', 'fresh'];
    connect({ token: () => tokens.shift() });
    const refused = next(client!, 'disconnected');
    const connected = client!.connect();
    expect((await refused).error).toMatchObject({ code: 'unauthorized', status: 401 });
    await connected;
    expect(endpoint.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer stale', 'Bearer fresh']);
  });

  it('stops over a 403', async () => {
    endpoint.refusals.push(403);
    await expect(connect().connect()).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  });

  it('comes back after the server has ended the connection, with a close frame or without', async () => {
    await connect().connect();
    for (const end of [(): void => endpoint.sockets.at(-1)!.close(1011, 'oops'), (): void => endpoint.sockets.at(-1)!.terminate()]) {
      const lost = next(client!, 'disconnected');
      const back = next(client!, 'connected');
      end();
      await lost;
      await back;
    }
    expect(endpoint.requests).toHaveLength(3);
  });

  it('may be closed at any moment of a connection attempt', async () => {
    connect();
    void client!.connect().catch(() => undefined);
    client!.close();
    connect();
    const connecting = client!.connect();
    await Promise.resolve();
    await Promise.resolve();
    client!.close();
    await expect(connecting).rejects.toMatchObject({ by: 'close' });
  });

  it('closes with 1000', async () => {
    await connect().connect();
    const closed = once(endpoint.sockets[0]!, 'close');
    client!.close();
    const [code] = (await closed) as [number];
    expect(code).toBe(1000);
  });
});
