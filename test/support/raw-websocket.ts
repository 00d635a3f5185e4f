import { RawSocket } from './raw-socket';
import type { TestFrame } from './test-client';
import { waitFor } from './wait-for';

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A WebSocket frame as it came over the wire. */
export interface RawFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/**
 * A WebSocket client without a WebSocket library: it answers nothing by itself, neither pings nor close frames, and reads
 * frames byte by byte.
 */
export class RawWebSocket {
  private readonly parsed: RawFrame[] = [];
  private readonly decoded: TestFrame[] = [];
  /** Up to where what was received has been parsed. */
  private parsedTo = 0;

  private constructor(readonly raw: RawSocket) {}

  /** Connects, and waits for the 101. */
  static async open(port: number, path = '/ws', headers: Record<string, string> = {}): Promise<RawWebSocket> {
    const raw = await RawSocket.open(port);
    raw.upgrade(path, headers);
    const { status } = await raw.response();
    if (status !== 101) throw new Error(`refused with ${status}`);
    return new RawWebSocket(raw);
  }

  /** Every complete frame that was received so far. */
  get frames(): readonly RawFrame[] {
    const { received } = this.raw;
    this.parsedTo ||= received.indexOf('\r\n\r\n') + 4;
    const { frames, length } = parseFrames(received.subarray(this.parsedTo));
    this.parsed.push(...frames);
    this.parsedTo += length;
    return this.parsed;
  }

  /** The text frames' messages. Fails where one does not hold exactly one JSON document. */
  get messages(): readonly TestFrame[] {
    const texts = this.frames.filter(({ opcode }) => opcode === OPCODE.text);
    for (const { payload } of texts.slice(this.decoded.length)) {
      this.decoded.push(JSON.parse(payload.toString('utf8')) as TestFrame);
    }
    return this.decoded;
  }

  /** Sends messages in a single write. */
  send(...messages: object[]): void {
    this.write(OPCODE.text, ...messages.map((message) => JSON.stringify(message)));
  }

  /** Sends frames with any payload, in a single write. */
  write(opcode: number, ...payloads: (string | Buffer)[]): void {
    this.raw.socket.write(Buffer.concat(payloads.map((payload) => maskedFrame(opcode, Buffer.from(payload)))));
  }

  message(type: string): Promise<TestFrame> {
    return waitFor(`a "${type}" frame`, () => this.messages.find((message) => message.type === type));
  }

  /** The close frame's code. */
  closeCode(): Promise<number> {
    return waitFor('a close frame', () => {
      return this.frames.find(({ opcode }) => opcode === OPCODE.close)?.payload.readUInt16BE(0);
    });
  }

  /** Stops reading: what the server sends stays in the kernel's buffers, and then in the server. */
  stopReading(): void {
    this.raw.socket.pause();
  }

  readAgain(): void {
    this.raw.socket.resume();
  }

  destroy(): void {
    this.raw.socket.destroy();
  }
}

/** An unfragmented frame with a mask of zeros, as a client has to send it. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const extended = payload.length <= 125 ? 0 : payload.length <= 0xffff ? 2 : 8;
  const header = Buffer.alloc(2 + extended + 4);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (extended === 0 ? payload.length : extended === 2 ? 126 : 127);
  if (extended === 2) header.writeUInt16BE(payload.length, 2);
  if (extended === 8) header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

/** @returns the complete frames, and how many bytes they take */
function parseFrames(bytes: Buffer): { frames: RawFrame[]; length: number } {
  const frames: RawFrame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const first = bytes[at]!;
    const short = bytes[at + 1]!;
    if ((first & 0x70) !== 0 || (short & 0x80) !== 0) throw new Error(`no frame of a server at byte ${at}`);
    const headerLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (at + headerLength > bytes.length) break;
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const end = at + headerLength + length;
    if (end > bytes.length) break;
    frames.push({ fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload: bytes.subarray(at + headerLength, end) });
    at = end;
  }
  return { frames, length: at };
}
