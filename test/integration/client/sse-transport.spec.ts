import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Channel, RealtimeClient, type RealtimeClientOptions } from '../../../lib/client';

const DEADLINE = 10_000;

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + DEADLINE;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${DEADLINE} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A server that refuses WebSockets and streams events. */
class StreamEndpoint {
  readonly requests: IncomingMessage[] = [];
  readonly streams: ServerResponse[] = [];
  refusal?: number;
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  async start(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Streams that the client has not left. */
  get open(): ServerResponse[] {
    return this.streams.filter(({ closed }) => !closed);
  }

  /** The query of the latest request. */
  get query(): [string, string][] {
    const { url = '/' } = this.requests.at(-1) ?? {};
    return [...new URL(url, 'http://host').searchParams];
  }

  send(frame: object): void {
    this.open.at(-1)!.write(`data: ${JSON.stringify(frame)}\n\n`);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request);
    if (this.refusal !== undefined) {
      response.writeHead(this.refusal).end();
      return;
    }
    this.streams.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    this.send({ type: 'connected', data: { connectionId: 's1', channels: [] } });
  }
}

describe('the client over Server-Sent Events', () => {
  const endpoint = new StreamEndpoint();
  let url: string;
  let client: RealtimeClient;
  const messages: unknown[] = [];

  beforeAll(async () => {
    url = await endpoint.start();
  });
  afterEach(async () => {
    client.close();
    await until(() => endpoint.open.length === 0);
    endpoint.requests.length = 0;
    endpoint.streams.length = 0;
    endpoint.refusal = undefined;
    messages.length = 0;
  });
  afterAll(() => endpoint.stop());

  const connect = (options: RealtimeClientOptions<'websocket' | 'sse'> = {}): void => {
    client = new RealtimeClient(url, { transports: ['sse'], minDelay: 1, maxDelay: 5, ...options });
  };
  const subscribe = async (name: string): Promise<Channel> => {
    const channel = client.channel(name);
    channel.on('message', (data) => messages.push(data));
    const subscribing = channel.subscribe();
    await until(() => endpoint.query.some(([, value]) => value === name));
    endpoint.send({ type: 'subscribed', channel: name, recoverable: true, cursor: 'c0', data: name });
    await expect(subscribing).resolves.toMatchObject({ data: name });
    return channel;
  };

  it('asks for its channels with the token in a header, and receives', async () => {
    connect({ token: 'secret' });
    await subscribe('room:a');
    expect(endpoint.requests.at(-1)).toMatchObject({ method: 'GET', url: '/ws/events?channel=room%3Aa&cursor=' });
    expect(endpoint.requests.at(-1)?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'text/event-stream' });
    endpoint.send({ type: 'news', channel: 'room:a', data: 'grüße', cursor: 'c1' });
    await until(() => messages.length === 1);
    expect(messages).toEqual(['grüße']);
  });

  it('puts the token into the query when asked to', async () => {
    connect({ token: 'secret', tokenTransport: 'query' });
    await until(() => client.state === 'connected');
    expect(endpoint.query).toEqual([['token', 'secret']]);
    expect(endpoint.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('opens the stream anew for a further channel, each from where it is', async () => {
    connect();
    await subscribe('room:a');
    endpoint.send({ type: 'news', channel: 'room:a', data: 1, cursor: 'c1' });
    await until(() => messages.length === 1);
    await subscribe('room:b');
    expect(endpoint.query).toEqual([
      ['channel', 'room:a'],
      ['cursor', 'c1'],
      ['channel', 'room:b'],
      ['cursor', ''],
    ]);
    expect(endpoint.open).toHaveLength(1);
    expect(client.state).toBe('connected');
  });

  it('continues each channel after the stream has broken off', async () => {
    connect();
    const room = await subscribe('room:a');
    endpoint.send({ type: 'news', channel: 'room:a', data: 1, cursor: 'c1' });
    await until(() => messages.length === 1);
    const recovered: unknown[] = [];
    room.on('subscribed', (context) => recovered.push(context.recovered));
    const { length } = endpoint.requests;
    endpoint.open[0]!.destroy();
    await until(() => endpoint.open.length === 1 && endpoint.requests.length > length);
    expect(endpoint.query).toEqual([['channel', 'room:a'], ['cursor', 'c1']]);
    endpoint.send({ type: 'subscribed', channel: 'room:a', recoverable: true, recovered: true, cursor: 'c1' });
    endpoint.send({ type: 'news', channel: 'room:a', data: 2, cursor: 'c2' });
    await until(() => messages.length === 2);
    expect(messages).toEqual([1, 2]);
    expect(recovered).toEqual([true]);
  });

  it('goes on from cursors, not from the first positions, when it opens the stream anew', async () => {
    connect();
    const room = await subscribe('room:a');
    await subscribe('room:b');
    endpoint.send({ type: 'subscribed', channel: 'room:a', recoverable: true, recovered: true, cursor: 'c0' });
    endpoint.send({ type: 'news', channel: 'room:a', data: 1, cursor: 'c1' });
    await until(() => messages.length === 1);
    expect(room.cursor).toBe('c1');
    expect(room.state).toBe('subscribed');
  });

  it('tells of a gap that the opening of the stream for another channel has left', async () => {
    connect();
    const room = await subscribe('room:a');
    const resets: unknown[] = [];
    room.on('reset', (context) => resets.push(context));
    await subscribe('room:b');
    endpoint.send({ type: 'subscribed', channel: 'room:a', recoverable: true, recovered: false, cursor: 'c7' });
    await until(() => resets.length === 1);
    expect(resets).toEqual([{ by: 'server', cursor: 'c7' }]);
    expect(room.cursor).toBe('c7');
  });

  it('rejects a subscription that the server refuses', async () => {
    connect();
    const subscribing = client.channel('room:a').subscribe();
    await until(() => endpoint.requests.some(({ url: path }) => path?.includes('channel=')));
    await until(() => endpoint.open.length === 1);
    endpoint.send({ type: 'error', channel: 'room:a', data: { code: 'forbidden', message: 'no' } });
    await expect(subscribing).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('receives only: what is sent is rejected at once', async () => {
    connect();
    await until(() => client.state === 'connected');
    await expect(client.request('ask')).rejects.toMatchObject({ code: 'unavailable', message: 'SSE only receives.' });
    await expect(client.channel('room:a').publish('chat', 1)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('leaves a channel', async () => {
    connect();
    const room = await subscribe('room:a');
    room.unsubscribe();
    await until(() => endpoint.query.length === 0);
    expect(room.state).toBe('unsubscribed');
  });

  it('is the fall-back of a WebSocket that cannot be opened', async () => {
    connect({ transports: ['websocket', 'sse'], WebSocket: BlockedWebSocket });
    await until(() => client.state === 'connected');
    await subscribe('room:a');
    expect(BlockedWebSocket.attempts).toBe(1);
  });

  it('tells a 401 from a network failure', async () => {
    endpoint.refusal = 401;
    const errors: unknown[] = [];
    connect({ token: 'wrong' });
    client.on('error', (error) => errors.push(error));
    await until(() => errors.length > 0);
    expect(errors).toEqual([expect.objectContaining({ code: 'unauthorized', status: 401 })]);
    expect(client.state).toBe('disconnected');
  });

  it("takes the stream's last event for a close code", async () => {
    connect();
    await until(() => client.state === 'connected');
    const ends: unknown[] = [];
    const received: unknown[] = [];
    client.on('message', (data) => received.push(data));
    client.on('state', (state, context) => state === 'disconnected' && ends.push(context));
    endpoint.send({ type: 'disconnected', data: { code: 4503, reason: 'account closed' } });
    endpoint.open[0]!.end();
    await until(() => ends.length === 1);
    expect(ends).toEqual([expect.objectContaining({ code: 4503, reason: 'account closed', willReconnect: false })]);
    expect(received).toEqual([]);
  });

  it('sends a new token with a new stream', async () => {
    const tokens = ['first', 'second'];
    connect({ token: () => tokens.shift() });
    await until(() => client.state === 'connected');
    endpoint.send({ type: 'connected', data: { expiresAt: Date.now() + 2000 }, timestamp: new Date().toISOString() });
    await until(() => endpoint.requests.at(-1)?.headers.authorization === 'Bearer second');
    await until(() => endpoint.open.length === 1);
    expect(client.state).toBe('connected');
  });
});

class BlockedWebSocket {
  static attempts = 0;
  readonly readyState = 3;
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose: ((event: never) => void) | null = null;

  constructor() {
    BlockedWebSocket.attempts++;
    queueMicrotask(() => this.onclose?.({ code: 1006, reason: '' } as never));
  }

  send(): void {}

  close(): void {}
}
