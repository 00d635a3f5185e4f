import type { Frame, FrameCodec } from './frame';

/** How a link ended. @publicApi */
export interface LinkClose {
  /** WebSocket close code; 1006 without a close frame. */
  readonly code: number;
  readonly reason: string;
  /** HTTP status of a refused handshake, where the platform tells it. */
  readonly status?: number;
}

/** How the token travels. @publicApi */
export type TokenTransport = 'header' | 'subprotocol' | 'query';

/** What a transport needs to open a link. @publicApi */
export interface LinkRequest {
  /** `ws:` or `wss:`. */
  readonly url: string;
  readonly token?: string;
  readonly tokenTransport?: TokenTransport;
  readonly WebSocket?: WebSocketConstructor;
  readonly codec: FrameCodec;
}

/**
 * What a link reports, never before {@link Transport.open} has returned, and nothing after `close` or after
 * {@link Link.close} was called.
 *
 * @publicApi
 */
export interface LinkHandlers {
  open(): unknown;
  frame(frame: Frame | undefined): unknown;
  close(close: LinkClose): unknown;
}

/** One connection to the server. @publicApi */
export interface Link {
  /** @returns whether the text was handed to the network */
  send(text: string): boolean;
  /** Ends the link. `abruptly`: the peer is not expected to answer, so do not wait for it. */
  close(abruptly: boolean): void;
}

/** A way to reach the server. @publicApi */
export interface Transport {
  readonly name: string;
  open(request: LinkRequest, handlers: LinkHandlers): Link;
}

/** What the client uses of a WebSocket: the browser's, Node's own and the one of the `ws` package have it. @publicApi */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
}

/** The platform's `WebSocket`, or that of `ws`. @publicApi */
export type WebSocketConstructor = new (
  url: string,
  protocols: string[],
  options?: { headers: Record<string, string> },
) => WebSocketLike;
