/** What to do with one more message. */
export type RateVerdict = 'pass' | 'refuse' | 'disconnect';

/** How many seconds' worth of refused messages a client may send before it is disconnected. */
const PATIENCE_SECONDS = 2;

/**
 * A token bucket: `perSecond` messages a second, and as many at once. Who goes on sending while refused is sent away.
 */
export class RateLimiter {
  private tokens: number;
  private refused = 0;
  private refilledAt: number;

  constructor(
    private readonly perSecond: number,
    now: number,
  ) {
    this.tokens = perSecond;
    this.refilledAt = now;
  }

  /** @param now a clock in ms that only goes forward */
  take(now: number): RateVerdict {
    const refill = ((now - this.refilledAt) / 1000) * this.perSecond;
    this.tokens = Math.min(this.perSecond, this.tokens + refill);
    this.refilledAt = now;
    // A second without a message: whoever it was has stopped. With a rate of 1 nothing else would tell.
    if (refill >= this.perSecond) this.refused = 0;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      if (this.tokens >= this.perSecond / 2) this.refused = 0;
      return 'pass';
    }
    this.refused++;
    return this.refused > this.perSecond * PATIENCE_SECONDS + 10 ? 'disconnect' : 'refuse';
  }
}
