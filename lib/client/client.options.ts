import type { EnvelopeFields } from '../protocol/envelope';
import { type Platform, defaultPlatform } from './platform';
import type { PositionStorage } from './positions';
import type { TokenSource } from './token-source';
import type { TokenTransport, Transport, WebSocketConstructor } from './transport';
import type { Heartbeat } from './watchdog';

/** How publications and requests wait for a connection. @publicApi */
export interface OfflineQueueOptions {
  /** How many may wait; one more is rejected with a {@link ClientLimitError}. 0: none waits. @default 100 */
  size?: number;
  /** Milliseconds after which one that still waits is rejected with an {@link UnansweredError}. @default 60_000 */
  maxAge?: number;
}

/** How a {@link RealtimeClient} behaves. A figure of 0 or less stands for its default. @publicApi */
export interface RealtimeClientOptions<TransportName extends string = 'websocket'> {
  /**
   * The token, or a function that gets one. A function is called for the first connection, when the server refuses the
   * token, when it has expired, and some time before it expires, to refresh it over the live connection. A function
   * that throws a `RealtimeError` with the code `unauthorized` stops the client.
   */
  token?: TokenSource;
  /**
   * How the token travels. `query` puts it where proxies log it, and the server must allow it.
   *
   * @default 'header' with the class of the `ws` package, 'subprotocol' with any other (browsers set no headers)
   */
  tokenTransport?: TokenTransport;
  /** The class to use. @default the runtime's own (browsers, Node 22) */
  WebSocket?: WebSocketConstructor;
  /** Ways to reach the server, in the order in which they are tried. @default ['websocket'] */
  transports?: readonly (TransportName | Transport)[];
  /** Connect when constructed; else with {@link RealtimeClient.connect}. @default true */
  autoConnect?: boolean;
  /** Least wait before a reconnection, in ms. @default 1000 */
  minDelay?: number;
  /** Longest wait before a reconnection, in ms. @default 30_000 */
  maxDelay?: number;
  /** Reconnections in a row that may fail before the client stops with an error. 0: it never stops. @default 0 */
  maxRetries?: number;
  /** Milliseconds that one attempt may take, the token included. @default 10_000 */
  connectTimeout?: number;
  /** Milliseconds to wait for the answer to a message that was sent. @default 10_000 */
  timeout?: number;
  offlineQueue?: OfflineQueueOptions;
  /** Used when the server does not announce its own (`welcome: false`). @default { interval: 30_000, timeout: 60_000 } */
  heartbeat?: Heartbeat;
  /** Keeps positions across page reloads, such as `sessionStorage`. @default none */
  storage?: PositionStorage;
  /** Begins the storage's keys. @default 'nestjs-realtime:' */
  storagePrefix?: string;
  /** Messages that may wait in one async iterator. @default 1000 */
  iteratorBuffer?: number;
  /** The server's `limits.maxMessageBytes`: a larger message is rejected here, where it would end the connection. @default 65_536 */
  maxMessageBytes?: number;
  /** The server's `envelope` option. */
  envelope?: Partial<EnvelopeFields>;
  /** Replaces clock, timers or environment, for tests and unusual runtimes. */
  platform?: Partial<Platform>;
}

const FIGURES = {
  minDelay: 1000,
  maxDelay: 30_000,
  maxRetries: 0,
  connectTimeout: 10_000,
  timeout: 10_000,
  iteratorBuffer: 1000,
  maxMessageBytes: 65_536,
};

/** The options with their defaults. */
export type ClientSettings = Omit<RealtimeClientOptions, 'transports' | 'platform'> &
  Readonly<typeof FIGURES> & {
    readonly offlineQueue: Required<OfflineQueueOptions>;
    readonly heartbeat: Heartbeat;
    readonly platform: Platform;
  };

export function resolveOptions(options: Omit<RealtimeClientOptions, 'transports'>): ClientSettings {
  const figures = Object.entries(FIGURES).map(([name, fallback]) => {
    return [name, positive(options[name as keyof typeof FIGURES], fallback)];
  });
  const { offlineQueue } = options;
  return {
    WebSocket: (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
    heartbeat: { interval: 30_000, timeout: 60_000 },
    ...options,
    ...(Object.fromEntries(figures) as typeof FIGURES),
    offlineQueue: { size: offlineQueue?.size ?? 100, maxAge: positive(offlineQueue?.maxAge, 60_000) },
    platform: { ...defaultPlatform, ...options.platform },
  };
}

function positive(value: number | undefined, fallback: number): number {
  return value && value > 0 ? value : fallback;
}
