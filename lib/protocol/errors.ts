/**
 * The codes an `error` frame carries (PROTOCOL.md, "Server to client").
 *
 * @publicApi
 */
export const ErrorCode = {
  BadRequest: 'bad_request',
  UnknownType: 'unknown_type',
  InvalidChannel: 'invalid_channel',
  Unauthorized: 'unauthorized',
  Forbidden: 'forbidden',
  NotSubscribed: 'not_subscribed',
  ValidationFailed: 'validation_failed',
  LimitExceeded: 'limit_exceeded',
  RateLimited: 'rate_limited',
  Conflict: 'conflict',
  NotFound: 'not_found',
  Unavailable: 'unavailable',
  Internal: 'internal',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

// Marked pure, so that the client's bundle leaves it out.
const codes: ReadonlySet<string> = /* @__PURE__ */ new Set(/* @__PURE__ */ Object.values(ErrorCode));

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && codes.has(value);
}

/** The fixed text of an `internal` error: what really happened goes to the server's log only. */
export const INTERNAL_ERROR_MESSAGE = 'Internal server error';

/** The `data` of an `error` frame. @publicApi */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  details?: unknown;
}

/**
 * An error that the peer is meant to see: its code, message and details travel in an `error` frame.
 *
 * @example
 * throw new RealtimeError('conflict', 'The seat is taken', { seat: '12A' });
 *
 * @publicApi
 */
export class RealtimeError extends Error {
  override name = 'RealtimeError';

  /**
   * @param code one of the protocol's error codes
   * @param message what was wrong and what to do; the client reads it
   * @param details anything that JSON can carry, for programs
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** What an `error` frame carries of an error. A function, so that the client's bundle leaves it out. */
export function errorData({ code, message, details }: RealtimeError): ErrorData {
  return details === undefined ? { code, message } : { code, message, details };
}
