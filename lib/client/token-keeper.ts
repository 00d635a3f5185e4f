import { RealtimeError } from '../protocol/errors';
import type { Frame, OutgoingFrame } from './frame';
import type { Platform } from './platform';
import type { Settle } from './reply-registry';
import { Timer } from './timer';

/** A token, or how to get one; empty or absent: anonymous. @publicApi */
export type TokenSource = string | (() => string | null | undefined | Promise<string | null | undefined>);

/** A token is renewed so long before its end, in ms, or at four fifths of a short life. */
const LEAD = 30_000;
const SHORTEST_WAIT = 1000;

/** What the keeper needs of its client. */
export interface TokenHost {
  call(frame: OutgoingFrame, settle: Settle): unknown;
  reportError(error: RealtimeError): void;
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
    private readonly platform: Platform,
    private readonly host: TokenHost,
  ) {
    this.timer = new Timer(platform);
  }

  /** Whether asking again can give another token. */
  get isRenewable(): boolean {
    return typeof this.source === 'function';
  }

  /** Asks anew only where it must. Rejects with what the application's function throws. */
  async get(): Promise<string | undefined> {
    if (this.platform.now() >= this.usableUntil) {
      const { source } = this;
      this.token = (typeof source === 'function' ? await source() : source) || undefined;
      this.usableUntil = Infinity;
    }
    return this.token;
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
    const now = this.platform.now();
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
    const failed = (error: unknown): void => {
      const left = end - this.platform.now();
      if (epoch !== this.epoch) return;
      this.invalidate();
      if (left > 2 * SHORTEST_WAIT) this.refreshIn(left / 2, end);
      this.host.reportError(error instanceof RealtimeError ? error : new RealtimeError('unauthorized', String(error)));
    };
    this.timer.set(Math.max(delay, SHORTEST_WAIT), () => {
      this.invalidate();
      this.get().then((data) => {
        if (epoch !== this.epoch) return;
        this.host.call({ type: 'refresh', data }, (error, frame) => (frame ? this.learn(frame) : failed(error)));
      }, failed);
    });
  }
}
