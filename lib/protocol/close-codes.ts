/** By itself, so that the client's bundle can leave the table out. */
const MESSAGE_TOO_BIG = 1009;

/**
 * WebSocket close codes that this protocol uses (PROTOCOL.md, "Heartbeat and close codes").
 *
 * 4000–4499 are temporary: a client reconnects with backoff. 4500–4999 are final: a client stops.
 *
 * @publicApi
 */
export const CloseCode = {
  /** The connection has done what it was for. */
  Normal: 1000,
  /** The server is going away: reconnect after the advised delay. */
  GoingAway: 1001,
  /** An inbound message was over `limits.maxMessageBytes`. */
  MessageTooBig: MESSAGE_TOO_BIG,
  /** An unexpected error on the server: reconnect. */
  ServerError: 1011,
  /** No pong within `heartbeat.timeout`. */
  NoPong: 4001,
  /** The token's lifetime ended and no `refresh` came. */
  TokenExpired: 4005,
  /** The client read too slowly for its outbox. */
  SlowConsumer: 4008,
  /** The server lost the state of the connection. */
  StateLost: 4010,
  /** The server is overloaded. */
  Overloaded: 4013,
  /** The client kept sending over its rate limit. */
  RateLimited: 4029,
  /** The credentials are not accepted. */
  Unauthorized: 4501,
  /** Refused, or disconnected by the server on purpose. */
  Forbidden: 4503,
  /** The user has too many connections. */
  ConnectionLimit: 4504,
  /** A newer connection took this one's place. */
  Replaced: 4509,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Whether a client must not reconnect by itself after this code. @publicApi */
export function isFinalCloseCode(code: number): boolean {
  return code === MESSAGE_TOO_BIG || (code >= 4500 && code <= 4999);
}
