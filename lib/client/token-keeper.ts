import { RealtimeError } from '../protocol/errors';
import type { ClientEmit } from './client.events';
import type { Frame, OutgoingFrame } from './frame';
import type { Platform } from './platform';
import type { Settle } from './reply-registry';
import { Timer } from './timer';
import type { TokenSource } from './token-source';

/** A token is renewed so long before its end, in ms, or at four fifths of a short life. */
const LEAD = 30_000;
const SHORTEST_WAIT = 1000;

/** What the keeper needs of its client. */
export interface TokenHost {
  call(frame: OutgoingFrame, settle: Settle): unknown;
  readonly emit: ClientEmit;
}

/**
 * Keeps the token that was got last until it is known, or suspected, to be of no use, and renews it over the live
 * connection before it expires.
 */
export class TokenKeeper {
  private token?: string;
  /** By the client's clock, in ms. */
  private usableUntil = 0;
  private readonly timer: Timer;
  /** Grows with every connection: a token that arrives late is not sent on the next one. */
  private epoch = 0;

  constructor(
    private readonly source: TokenSource | undefined,
    private readonly clock: Platform,
    private readonly host: TokenHost,
  ) {
    this.timer = new Timer(clock);
  }

  /** Whether asking again can give another token. */
  get isRenewable(): boolean {
    return typeof this.source === 'function';
  }

  /**
   * Asks anew only where it must.
   *
   * @throws RealtimeError what the application's function throws, wrapped unless it is one
   */
  async get(): Promise<string | undefined> {
    const { source } = this;
    if (this.clock.now() < this.usableUntil) return this.token;
    try {
      this.token = (typeof source === 'function' ? await source() : source) || undefined;
      this.usableUntil = Infinity;
      return this.token;
    } catch (error) {
      throw error instanceof RealtimeError ? error : new RealtimeError('unavailable', `No token: ${String(error)}`);
    }
  }

  /** The next {@link get} asks anew. */
  invalidate(): void {
    this.usableUntil = 0;
  }

  /** A `connected` or `refreshed` frame says how long the token lasts, by the server's clock. */
  learn({ data, timestamp }: Frame): void {
    const { expiresAt } = (data ?? {}) as { expiresAt?: number };
    this.timer.clear();
    if (expiresAt === undefined || !this.isRenewable) return;
    // Only the difference counts, whatever the client's own clock says.
    const now = this.clock.now();
    const left = expiresAt - (Date.parse(timestamp ?? '') || now);
    this.usableUntil = now + left;
    this.refreshIn(left - Math.min(LEAD, left / 5));
  }

  /** The connection is gone. */
  stop(): void {
    this.epoch++;
    this.timer.clear();
  }

  private refreshIn(delay: number, end = this.usableUntil): void {
    const { epoch } = this;
    // While there is time, a failure is tried again. In the end the server closes, and a new connection asks anew.
    const failed = (error: RealtimeError): void => {
      const left = end - this.clock.now();
      if (epoch !== this.epoch) return;
      this.invalidate();
      if (left > 2 * SHORTEST_WAIT) this.refreshIn(left / 2, end);
      this.host.emit('error', error);
    };
    this.timer.set(Math.max(delay, SHORTEST_WAIT), () => {
      this.invalidate();
      this.get().then((data) => {
        if (epoch !== this.epoch) return;
        this.host.call({ type: 'refresh', data }, (error, frame) => (frame ? this.learn(frame) : failed(error!)));
      }, failed);
    });
  }
}
