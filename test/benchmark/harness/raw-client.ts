import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** How a kind of server is spoken to. */
export interface Dialect {
  /** Path and query of the upgrade. */
  path(channels: readonly string[]): string;
  headers: readonly string[];
  /** Frames to send once the socket is open. */
  hello(channels: readonly string[]): string[];
  /** How many frames come before the subscriptions stand. */
  repliesExpected(channels: readonly string[]): number;
  /** Looks at one of these frames. */
  onReply?(text: string): void;
  /** Frames to send when so many replies have come. */
  follow?(replies: number, channels: readonly string[]): string[];
  /** An answer that a frame calls for (Engine.IO's ping). */
  answerTo?(text: string): string | undefined;
}

const OPCODE_TEXT = 1;
const OPCODE_PING = 9;

/**
 * A WebSocket client that does as little as it can, so that the server is what is measured: it counts frames by their
 * headers and looks into a payload only during the set-up, and for the few connections that sample latency.
 */
export class RawClient {
  received = 0;
  bytes = 0;
  /** Resolves when the subscriptions stand. */
  readonly ready: Promise<void>;
  private rest: Buffer | undefined;
  private open = false;
  private replies = 0;
  private settle!: () => void;
  private wake: ((text: string) => void) | undefined;
  readonly socket: Socket;

  constructor(
    port: number,
    private readonly dialect: Dialect,
    private readonly channels: readonly string[],
    private readonly onSample: ((text: string) => void) | undefined,
    private readonly deflate = false,
  ) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.ready = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.socket.once('error', reject);
    });
    this.socket.once('connect', () => this.upgrade(port));
    this.socket.on('data', (chunk) => this.read(chunk));
  }

  /** Resolves with the next message that comes. */
  nextFrame(): Promise<string> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  /** Sends a text frame. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const header = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    header[0] = 0x80 | OPCODE_TEXT;
    if (payload.length < 126) header[1] = 0x80 | payload.length;
    else {
      header[1] = 0x80 | 126;
      header.writeUInt16BE(payload.length, 2);
    }
    // The masking key is zero: allowed by the protocol, and free.
    this.socket.write(Buffer.concat([header, payload]));
  }

  private upgrade(port: number): void {
    const lines = [
      `GET ${this.dialect.path(this.channels)} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...(this.deflate ? ['Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover'] : []),
      ...this.dialect.headers,
    ];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  private read(chunk: Buffer): void {
    this.bytes += chunk.length;
    let data = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    if (!this.open) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) {
        this.rest = data;
        return;
      }
      if (!data.subarray(0, 12).toString('latin1').endsWith('101')) throw new Error(data.toString('latin1').slice(0, 200));
      this.open = true;
      data = data.subarray(end + 4);
      for (const text of this.dialect.hello(this.channels)) this.send(text);
      if (this.dialect.repliesExpected(this.channels) === 0) this.settle();
    }
    this.readFrames(data);
  }

  private readFrames(data: Buffer): void {
    let offset = 0;
    const { length } = data;
    while (length - offset >= 2) {
      let size = data[offset + 1]! & 0x7f;
      let header = 2;
      if (size === 126) {
        if (length - offset < 4) break;
        size = data.readUInt16BE(offset + 2);
        header = 4;
      } else if (size === 127) {
        if (length - offset < 10) break;
        size = data.readUInt32BE(offset + 6);
        header = 10;
      }
      const end = offset + header + size;
      if (end > length) break;
      this.onFrame(data, data[offset]! & 0x0f, offset + header, end);
      offset = end;
    }
    // A copy, so that a few bytes do not hold the whole chunk.
    this.rest = offset < length ? Buffer.from(data.subarray(offset)) : undefined;
  }

  private onFrame(data: Buffer, opcode: number, start: number, end: number): void {
    if (opcode === OPCODE_PING) return;
    if (this.replies < this.dialect.repliesExpected(this.channels)) {
      this.replies++;
      this.dialect.onReply?.(data.toString('utf8', start, end));
      for (const text of this.dialect.follow?.(this.replies, this.channels) ?? []) this.send(text);
      if (this.replies === this.dialect.repliesExpected(this.channels)) this.settle();
      return;
    }
    if (this.dialect.answerTo && end - start < 4) {
      const answer = this.dialect.answerTo(data.toString('utf8', start, end));
      if (answer !== undefined) {
        this.send(answer);
        return;
      }
    }
    this.received++;
    if (this.wake) {
      const { wake } = this;
      this.wake = undefined;
      wake(data.toString('utf8', start, end));
    }
    this.onSample?.(data.toString('utf8', start, end));
  }
}
