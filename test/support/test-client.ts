import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

/** A frame as a client reads it. */
export interface TestFrame {
  type: string;
  id?: string | number;
  channel?: string;
  // Tests look into payloads of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  data?: any;
  from?: string;
  cursor?: string;
  recoverable?: boolean;
  recovered?: boolean;
  timestamp: string;
}

const DEADLINE = 10_000;

/** A raw WebSocket client that keeps every frame it was sent. */
export class TestClient {
  readonly frames: TestFrame[] = [];
  /** Resolves when the socket has closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly waiters = new Set<() => void>();
  private nextId = 1;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString('utf8')) as TestFrame);
      for (const wake of this.waiters) wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
    });
  }

  /** Connects and waits for the `connected` frame, unless `greeted` is false. */
  static async connect(url: string, options: TestConnectOptions = {}): Promise<TestClient> {
    const { protocols, greeted = true, ...rest } = options;
    const client = new TestClient(new WebSocket(url, protocols ?? [], rest));
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => resolve());
      client.socket.once('error', reject);
      client.socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
        response.resume();
      });
    });
    if (greeted) await client.next('connected');
    return client;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends a command with an id and resolves with the reply to it. */
  async request(message: object): Promise<TestFrame> {
    const id = `t${this.nextId++}`;
    this.send({ ...message, id });
    return this.find((frame) => frame.id === id, `the reply to ${JSON.stringify(message)}`);
  }

  /** Subscribes and fails on anything but `subscribed`. */
  async subscribe(channel: string, extra: object = {}): Promise<TestFrame> {
    const reply = await this.request({ type: 'subscribe', channel, ...extra });
    if (reply.type !== 'subscribed') throw new Error(`not subscribed: ${JSON.stringify(reply)}`);
    return reply;
  }

  /** The first frame of the type that was or will be received, taken out of `frames`. */
  next(type: string): Promise<TestFrame> {
    return this.take((frame) => frame.type === type, `a "${type}" frame`);
  }

  /** The first frame that matches, taken out of `frames`. */
  take(matches: (frame: TestFrame) => boolean, what = 'a frame'): Promise<TestFrame> {
    return this.find(matches, what, true);
  }

  /** Everything that came before the reply to a ping: what was sent to this client until now. */
  async settled(): Promise<TestFrame[]> {
    const pong = await this.request({ type: 'ping' });
    return this.frames.slice(0, this.frames.indexOf(pong));
  }

  ofType(type: string): TestFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  private async find(matches: (frame: TestFrame) => boolean, what: string, remove = false): Promise<TestFrame> {
    const deadline = Date.now() + DEADLINE;
    for (;;) {
      const index = this.frames.findIndex(matches);
      if (index !== -1) return remove ? this.frames.splice(index, 1)[0]! : this.frames[index]!;
      const left = deadline - Date.now();
      if (left <= 0 || this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`${what} did not come; there were ${JSON.stringify(this.frames).slice(0, 2000)}`);
      }
      await this.change(left);
    }
  }

  private async change(ms: number): Promise<void> {
    let wake!: () => void;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    const timer = setTimeout(wake, ms);
    this.waiters.add(wake);
    await Promise.race([changed, this.closed]);
    clearTimeout(timer);
    this.waiters.delete(wake);
  }
}

export interface TestConnectOptions extends ClientOptions {
  protocols?: string[];
  /** Whether to wait for the `connected` frame. @default true */
  greeted?: boolean;
}

/** The HTTP answer to an upgrade that is refused. */
export interface Refusal {
  status: number;
  headers: IncomingMessage['headers'];
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

/** Connects where that is refused, and resolves with the answer. Rejects when the connection opens. */
export function refusal(url: string, options: TestConnectOptions = {}): Promise<Refusal> {
  const { protocols, greeted: _, ...rest } = options;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols ?? [], rest);
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('the connection was not refused'));
    });
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        resolve({ status: response.statusCode!, headers: response.headers, body });
      });
    });
  });
}
