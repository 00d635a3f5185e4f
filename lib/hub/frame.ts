import { type CompressionSettings, deflateFrame } from './compression';
import { textFrameHeaderLength, writeTextFrameHeader } from './websocket-frame';

/**
 * What happens to a connection that reads too slowly: `disconnect` ends it with 4008, `drop` leaves out the newest
 * frames, `latest` keeps of the channel's publications only the newest one waiting.
 *
 * @publicApi
 */
export type SlowConsumerPolicy = 'disconnect' | 'drop' | 'latest';

/** Where a publication's frame belongs. */
export interface FrameOrigin {
  readonly channel: string;
  readonly policy: SlowConsumerPolicy;
}

/**
 * One message, encoded and framed once. Every connection that gets it shares these bytes, so nobody may change them.
 *
 * @publicApi
 */
export class Frame {
  private deflated: Buffer | undefined;

  private constructor(
    /** The whole WebSocket frame: header and payload. */
    readonly bytes: Buffer,
    private readonly headerLength: number,
    /** The channel and its policy for slow consumers; undefined on replies, direct messages and broadcasts. */
    readonly origin?: FrameOrigin,
    /** The publication's cursor on a recoverable channel. */
    readonly cursor?: string,
  ) {}

  /** The message's JSON as UTF-8 bytes. */
  get payload(): Buffer {
    return this.bytes.subarray(this.headerLength);
  }

  /** The message's JSON. */
  get text(): string {
    return this.bytes.toString('utf8', this.headerLength);
  }

  /** The frame for a connection with or without compression. It is compressed once, for the first that asks. */
  encodedFor(compression: CompressionSettings | undefined): Buffer {
    if (compression === undefined || this.bytes.length - this.headerLength < compression.threshold) return this.bytes;
    return (this.deflated ??= deflateFrame(this.payload));
  }

  /** @param json one JSON object */
  static fromText(json: string, origin?: FrameOrigin): Frame {
    const length = Buffer.byteLength(json);
    const headerLength = textFrameHeaderLength(length);
    const bytes = Buffer.allocUnsafe(headerLength + length);
    writeTextFrameHeader(bytes, length);
    bytes.write(json, headerLength, 'utf8');
    return new Frame(bytes, headerLength, origin);
  }

  /**
   * Frames the payload of a publication as it came from the adapter, without parsing it. The cursor, which only the
   * history can give, is written in as the object's first field.
   */
  static fromPayload(payload: Buffer, origin?: FrameOrigin, cursor?: string): Frame {
    const prefix = cursor === undefined ? '' : `{"cursor":"${cursor}",`;
    // With a prefix, the payload's own opening brace is left out.
    const skipped = prefix === '' ? 0 : 1;
    const length = prefix.length + payload.length - skipped;
    const headerLength = textFrameHeaderLength(length);
    const bytes = Buffer.allocUnsafe(headerLength + length);
    writeTextFrameHeader(bytes, length);
    bytes.write(prefix, headerLength, 'latin1');
    payload.copy(bytes, headerLength + prefix.length, skipped);
    return new Frame(bytes, headerLength, origin, cursor);
  }
}
