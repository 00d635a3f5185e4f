import type { Frame, WebSocketConstructor, WebSocketLike } from '../../../../lib/client';
import { settle } from './fake-platform';

type Sent = Record<string, unknown> & { type: string; id: number };

/** A socket whose other end is the test. */
export class FakeSocket implements WebSocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  /** Everything that the client sent, in order. */
  readonly sent: Sent[] = [];
  /** The code with which the client closed it; 0: terminated. */
  closedWith?: number;

  constructor(
    readonly url: string,
    readonly protocols: string[],
    readonly options?: { headers: Record<string, string> },
  ) {}

  /** The client holds it: not closed by either side. */
  get isInUse(): boolean {
    return this.readyState < 2;
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new Error('send() on a socket that is not open');
    this.sent.push(JSON.parse(text) as Sent);
  }

  close(code?: number): void {
    this.closedWith ??= code ?? 1005;
    this.readyState = 3;
  }

  /** What the client sent of one type. */
  sentOf(type: string): Sent[] {
    return this.sent.filter((frame) => frame.type === type);
  }

  async open(): Promise<void> {
    this.readyState = 1;
    this.onopen?.({} as never);
    await settle();
  }

  async receive(...frames: Frame[]): Promise<void> {
    for (const frame of frames) this.receiveText(JSON.stringify(frame));
    await settle();
  }

  receiveText(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** Opens, and says what the server says first. */
  async welcome(data: Record<string, unknown> = {}, timestamp?: string): Promise<void> {
    await this.open();
    await this.receive({ type: 'connected', data: { connectionId: 'c1', channels: [], ...data }, timestamp });
  }

  /** The server's end: a close frame, or with 1006 none. */
  async end(code = 1006, reason = ''): Promise<void> {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
    await settle();
  }

  /** The handshake fails; `status` as the `ws` package tells it. */
  async refuse(status?: number): Promise<void> {
    this.onerror?.((status ? { message: `Unexpected server response: ${status}` } : {}) as never);
    await this.end();
  }
}

/** The class that the `ws` package has: it can end a connection without a closing handshake. */
class FakeNodeSocket extends FakeSocket {
  terminate(): void {
    this.closedWith ??= 0;
    this.readyState = 3;
  }
}

/** Makes WebSocket classes and keeps what they make. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  /** As browsers have it. */
  readonly WebSocket: WebSocketConstructor = this.classOf(FakeSocket);
  /** As the `ws` package has it. */
  readonly NodeWebSocket: WebSocketConstructor = this.classOf(FakeNodeSocket);

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket has been made');
    return socket;
  }

  get inUse(): number {
    return this.sockets.filter((socket) => socket.isInUse).length;
  }

  private classOf(Base: typeof FakeSocket): WebSocketConstructor {
    const { sockets } = this;
    return class extends Base {
      constructor(...args: ConstructorParameters<typeof FakeSocket>) {
        super(...args);
        sockets.push(this);
      }
    };
  }
}
