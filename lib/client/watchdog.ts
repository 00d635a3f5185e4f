import type { Platform } from './platform';
import { Timer } from './timer';

/** The server's figures, in ms. @publicApi */
export interface Heartbeat {
  /** Silence after which the peer is asked whether it is there. */
  readonly interval: number;
  /** How long it may take to answer. */
  readonly timeout: number;
}

/** A server that is alive answers a ping within this time, in ms, however long it would wait for us. */
const LONGEST_PONG = 10_000;

/**
 * Notices a network that died in silence. The server's native pings would tell, but no browser shows them, so after a
 * silence of `interval` it asks with a `ping` of the protocol.
 *
 * No timer is set or cleared per message: it looks back when it fires.
 */
export class Watchdog {
  private readonly timer: Timer;
  private figures: Heartbeat = { interval: 0, timeout: 0 };
  private seenAt = 0;
  /** Nothing has arrived since the last ping. */
  private doubting = false;

  constructor(
    private readonly clock: Platform,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.timer = new Timer(clock);
  }

  start(heartbeat: Heartbeat): void {
    this.figures = heartbeat;
    this.seenAt = this.clock.now();
    this.restFor(heartbeat.interval);
  }

  stop(): void {
    this.timer.clear();
  }

  seen(): void {
    this.seenAt = this.clock.now();
    if (this.doubting) this.restFor(this.figures.interval);
  }

  /** Asks at once: something happened to the network or the machine. */
  probe(): void {
    this.doubting = true;
    this.ping();
    this.timer.set(Math.min(this.figures.timeout, LONGEST_PONG), this.dead);
  }

  private restFor(wait: number): void {
    this.doubting = false;
    this.timer.set(wait, () => {
      const left = this.seenAt + this.figures.interval - this.clock.now();
      // A clock that was set back must not keep it from looking.
      if (left > 0) this.restFor(Math.min(left, this.figures.interval));
      else this.probe();
    });
  }
}
