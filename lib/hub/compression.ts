import { constants, deflateRawSync } from 'node:zlib';
import { textFrameHeaderLength, writeTextFrameHeader } from './websocket-frame';

/** permessage-deflate for outgoing frames. */
export interface CompressionSettings {
  /** Payloads of fewer bytes go out as they are. */
  readonly threshold: number;
}

/** RSV1 says that a message is compressed (RFC 7692, section 7.2.1). */
const RSV1 = 0x40;
/** The four bytes that end a flushed block; the receiver adds them again (RFC 7692, section 7.2.1). */
const TAIL_LENGTH = 4;

/**
 * A compressed text frame. Each message is compressed by itself (`server_no_context_takeover`): the bytes do not depend
 * on what a connection got before, so all connections share them.
 */
export function deflateFrame(payload: Buffer): Buffer {
  const deflated = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const length = deflated.length - TAIL_LENGTH;
  const headerLength = textFrameHeaderLength(length);
  const bytes = Buffer.allocUnsafe(headerLength + length);
  writeTextFrameHeader(bytes, length, RSV1);
  deflated.copy(bytes, headerLength, 0, length);
  return bytes;
}
