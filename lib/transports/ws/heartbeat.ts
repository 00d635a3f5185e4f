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
  /** Between two sweeps, in ms. */
  private readonly period: number;
  private sweptAt = 0;

  constructor(private readonly settings: HeartbeatSettings) {
    const { interval, timeout, writeTimeout } = settings;
    this.period = Math.min(1000, Math.max(5, Math.min(interval, timeout, writeTimeout) / 8));
  }

  start(): void {
    this.sweptAt = performance.now();
    this.timer = setInterval(() => this.sweep(), this.period).unref();
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
    const now = performance.now();
    // While the process stood still (a long computation, a debugger, a virtual machine that was moved) nobody was heard.
    const standstill = Math.max(0, now - this.sweptAt - 2 * this.period);
    this.sweptAt = now;
    this.continue(this.members.values(), standstill);
  }

  private continue(rest: IterableIterator<WebSocketConnection>, standstill: number): void {
    const started = performance.now();
    let seen = 0;
    for (let next = rest.next(); !next.done; next = rest.next()) {
      this.examine(next.value, started, standstill);
      if (++seen % CHUNK === 0 && performance.now() - started > SLICE_MS) {
        setImmediate(() => this.continue(rest, standstill));
        return;
      }
    }
    this.sweeping = false;
  }

  private examine(connection: WebSocketConnection, now: number, standstill: number): void {
    const { interval, timeout, writeTimeout } = this.settings;
    if (connection.blockedSince !== 0 && now - connection.blockedSince - standstill > writeTimeout) {
      connection.overflow();
      return;
    }
    // From a paused one nothing is read on purpose, pongs included. A ping still tells whether it is there.
    connection.lastPong = connection.webSocket.isPaused ? now : connection.lastPong + standstill;
    if (now - connection.lastPong >= timeout) {
      connection.close(CloseCode.NoPong, 'no pong');
      return;
    }
    if (now < connection.nextPing) return;
    connection.nextPing = now + interval;
    connection.ping();
  }
}
