/** Longest reason that fits a close frame, in bytes (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Before anything is ended with them: halfway through, a code or reason that cannot be sent would leave a connection that
 * nobody closes any more.
 *
 * @throws RangeError
 */
export function assertCloseFrame(code: number, reason: string): void {
  const sendable = code === 1000 || code === 1001 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  if (!Number.isInteger(code) || !sendable) {
    throw new RangeError(`The close code ${code} may not be sent; use 1000, 1001, 1007–1014 or 3000–4999`);
  }
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    throw new RangeError(`The reason of a close has at most ${MAX_REASON_BYTES} bytes`);
  }
}
