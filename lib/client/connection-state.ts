import type { RealtimeError } from '../protocol/errors';

/**
 * `disconnected`: no connection, and none being made now (one may follow: see {@link DisconnectedContext.willReconnect}).
 *
 * @publicApi
 */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected';

/** Of an attempt to connect. @publicApi */
export interface ConnectingContext {
  /** Reconnections tried in a row: 0 for the first connection. */
  readonly attempt: number;
}

/** Of a connection. @publicApi */
export interface ConnectedContext {
  /** Reconnections that it took: 0 for a first connection, and for one that came back at once. */
  readonly attempt: number;
  /** The name of the transport in use. */
  readonly transport: string;
  /** Absent when the server sends no `connected` (`welcome: false`). */
  readonly connectionId?: string;
  /** Who the server says we are. */
  readonly user?: unknown;
  /** Channels that the server has joined for us. */
  readonly channels: readonly string[];
}

/** Why there is no connection, and what happens next. @publicApi */
export interface DisconnectedContext {
  /** WebSocket close code; 1006 without a close frame. */
  readonly code: number;
  readonly reason: string;
  readonly error?: RealtimeError;
  /** Milliseconds until the next attempt. */
  readonly delay?: number;
  /** False: the client stays disconnected until `connect()` is called. */
  readonly willReconnect: boolean;
}

/** A state with what there is to know about it. @publicApi */
export type StateChange =
  | ['connecting', ConnectingContext]
  | ['connected', ConnectedContext]
  | ['disconnected', DisconnectedContext];
