/** Longest reason that fits a close frame, in bytes: a control frame carries 125, two of them the code (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** What is wrong with a close code or its reason, in words; undefined for what may stand in a close frame. */
export function closeFrameProblem(code: number, reason: string): string | undefined {
  const sendable = code === 1000 || code === 1001 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  if (!Number.isInteger(code) || !sendable) {
    return `The close code ${code} may not be sent; use 1000, 1001, 1007–1014 or 3000–4999`;
  }
  if (new TextEncoder().encode(reason).length <= MAX_REASON_BYTES) return undefined;
  return `The reason of a close has at most ${MAX_REASON_BYTES} bytes`;
}
