import { CloseCode } from '../../protocol/close-codes';
import type { WebSocketConnection } from './websocket-connection';

/** When connections count as dead. All in ms. */
export interface HeartbeatSettings {
  /** Between two pings. */
  readonly interval: number;
  /** Without a pong for so long, a connection is closed. */
  readonly timeout: number;
  /** With a write waiting for so long, a connection is closed. */
  readonly writeTimeout: number;
}

/** Connections looked at before the clock is. */
const CHUNK = 256;
/** Longest stretch of the event loop that a sweep takes, in ms. */
const SLICE_MS = 4;

/**
 * Pings connections and ends those that are dead. One timer sweeps them all; each has its own phase, from when it
 * connected, so that pings do not go out in bursts.
 */
export class Heartbeat {
  private readonly members = new Set<WebSocketConnection>();
  private timer: NodeJS.Timeout | undefined;
  private sweeping = false;

  constructor(private readonly settings: HeartbeatSettings) {}

  start(): void {
    const { interval, timeout, writeTimeout } = this.settings;
    const period = Math.min(1000, Math.max(5, Math.min(interval, timeout, writeTimeout) / 8));
    this.timer = setInterval(() => this.sweep(), period).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.members.clear();
  }

  add(connection: WebSocketConnection): void {
    const now = performance.now();
    connection.lastPong = now;
    connection.nextPing = now + this.firstPing();
    this.members.add(connection);
  }

  remove(connection: WebSocketConnection): void {
    this.members.delete(connection);
  }

  /** A little early and at random: clients that came back together do not stay together. */
  private firstPing(): number {
    return this.settings.interval * (1 - Math.random() / 4);
  }

  private sweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.continue(this.members.values());
  }

  private continue(rest: IterableIterator<WebSocketConnection>): void {
    const started = performance.now();
    let seen = 0;
    for (let next = rest.next(); !next.done; next = rest.next()) {
      this.examine(next.value, started);
      if (++seen % CHUNK === 0 && performance.now() - started > SLICE_MS) {
        setImmediate(() => this.continue(rest));
        return;
      }
    }
    this.sweeping = false;
  }

  private examine(connection: WebSocketConnection, now: number): void {
    const { interval, timeout, writeTimeout } = this.settings;
    if (connection.blockedSince !== 0 && now - connection.blockedSince > writeTimeout) {
      connection.overflow();
      return;
    }
    if (connection.webSocket.isPaused) {
      // Nothing is read from it on purpose, pongs included.
      connection.lastPong = now;
      return;
    }
    if (now - connection.lastPong >= timeout) {
      connection.close(CloseCode.NoPong, 'no pong');
      return;
    }
    if (now < connection.nextPing) return;
    connection.nextPing = now + interval;
    connection.ping();
  }
}
