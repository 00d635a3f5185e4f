const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAX_LENGTH_7 = 125;
const MAX_LENGTH_16 = 0xffff;

/** Bytes of the header of an unmasked WebSocket text frame (RFC 6455, section 5.2). */
export function textFrameHeaderLength(payloadLength: number): number {
  if (payloadLength <= MAX_LENGTH_7) return 2;
  return payloadLength <= MAX_LENGTH_16 ? 4 : 10;
}

/** Writes the header of an unfragmented, unmasked text frame to the start of `target`. */
export function writeTextFrameHeader(target: Buffer, payloadLength: number, flags = 0): void {
  target[0] = FIN_TEXT | flags;
  if (payloadLength <= MAX_LENGTH_7) {
    target[1] = payloadLength;
  } else if (payloadLength <= MAX_LENGTH_16) {
    target[1] = LENGTH_16;
    target.writeUInt16BE(payloadLength, 2);
  } else {
    target[1] = LENGTH_64;
    target.writeUInt32BE(Math.floor(payloadLength / 0x1_0000_0000), 2);
    target.writeUInt32BE(payloadLength >>> 0, 6);
  }
}
