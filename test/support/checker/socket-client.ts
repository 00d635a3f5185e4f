import { WebSocket } from 'ws';
import type { TestFrame } from '../test-client';
import type { ClientRecorder } from './client-recorder';
import type { Random } from './random';

/** A client that comes back whenever it is cut off, and continues from where it was. */
export interface RecordedClient {
  readonly recorder: ClientRecorder;
  /** Ends its connection, if it has one. */
  cut(): void;
  stop(): Promise<void>;
}

/** How long a connection and its subscriptions may take, in ms, before the client tries another. */
const PATIENCE = 8000;
const RETRY = 100;

/** The protocol and nothing else over a WebSocket. */
export class SocketClient implements RecordedClient {
  private socket: WebSocket | undefined;
  private connection = 0;
  private joined = new Set<string>();
  private stopped = false;
  private readonly timers = new Set<NodeJS.Timeout>();

  /** @param ports of the servers, one of which is taken at each connection */
  constructor(
    readonly recorder: ClientRecorder,
    private readonly ports: readonly number[],
    private readonly random: Random,
  ) {
    this.connect();
  }

  cut(): void {
    this.socket?.terminate();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.cut();
  }

  private connect(): void {
    const connection = ++this.connection;
    const url = `ws://127.0.0.1:${this.random.pick(this.ports)}/ws`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket = socket;
    this.joined = new Set();
    const impatience = this.later(PATIENCE, () => this.joined.size === this.recorder.channels.length || socket.terminate());
    socket.on('open', () => {
      for (const channel of this.recorder.channels) this.subscribe(socket, channel);
    });
    socket.on('message', (data: Buffer) => this.receive(socket, connection, JSON.parse(data.toString('utf8')) as TestFrame));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(impatience);
      this.later(this.random.between(20, 250), () => this.connect());
    });
  }

  private subscribe(socket: WebSocket, channel: string): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: 'subscribe', channel, cursor: this.recorder.cursorOf(channel), id: channel }));
  }

  private receive(socket: WebSocket, connection: number, frame: TestFrame): void {
    // What arrives behind the client's back when it has given the connection up is not seen by anybody.
    if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
    this.recorder.read(frame, connection);
    const { type, channel } = frame;
    if (type === 'subscribed') this.joined.add(channel!);
    const isOff = type === 'error' || type === 'unsubscribed';
    if (isOff && channel !== undefined) this.later(RETRY, () => this.subscribe(socket, channel));
  }

  private later(ms: number, work: () => void): NodeJS.Timeout | undefined {
    if (this.stopped) return undefined;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
    return timer;
  }
}
