import { type ErrorCode, RealtimeError } from '../protocol/errors';
import type { Frame } from './frame';

/** A bound of the client's own was reached; nothing was sent. @publicApi */
export class ClientLimitError extends RealtimeError {
  /**
   * @param option the option that holds the bound
   * @param limit its value
   */
  constructor(
    readonly option: string,
    readonly limit: number,
  ) {
    super('limit_exceeded', `${option} (${limit}) is exceeded.`);
  }
}

/** A message has no answer, and none will come. @publicApi */
export class UnansweredError extends RealtimeError {
  /**
   * @param reason `timeout`: the server took too long. `lost`: the connection ended first, and the message must not be
   * sent twice. `expired`: no connection came within `offlineQueue.maxAge`
   * @param wasSent true when the server may have acted on it
   */
  constructor(
    readonly reason: 'timeout' | 'lost' | 'expired',
    readonly wasSent: boolean,
  ) {
    super('unavailable', `No answer (${reason}). ${wasSent ? 'It may have been handled.' : 'Nothing was sent.'}`);
  }
}

/** The application ended what it waited for. @publicApi */
export class ClosedError extends RealtimeError {
  /** @param by the call that did it */
  constructor(readonly by: 'close' | 'unsubscribe') {
    super('unavailable', `${by}() was called.`);
  }
}

/** Why there is no connection. @publicApi */
export class ConnectionError extends RealtimeError {
  /**
   * @param closeCode the WebSocket close code; 1006 when no close frame came
   * @param status the HTTP status of a refused handshake, where the platform tells it
   */
  constructor(
    code: ErrorCode,
    message: string,
    readonly closeCode: number,
    readonly status?: number,
  ) {
    super(code, message);
  }
}

/** The error that an `error` frame carries. */
export function errorOfFrame(frame: Frame): RealtimeError {
  const { code, message, details } = (frame.data ?? {}) as Record<string, unknown>;
  return new RealtimeError(code as ErrorCode, String(message), details);
}
