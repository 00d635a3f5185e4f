import type { Platform } from './platform';

/** The bounds of a wait, in ms. */
export interface BackoffBounds {
  readonly minDelay: number;
  readonly maxDelay: number;
}

/**
 * Delays with full jitter: each is drawn evenly from `minDelay` up to a bound that doubles with every attempt until it
 * is `maxDelay`. Clients that lost the same server at the same moment come back spread out, from the first attempt on.
 */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly bounds: BackoffBounds,
    private readonly chance: Pick<Platform, 'random'>,
  ) {}

  next(): number {
    const { minDelay, maxDelay } = this.bounds;
    const bound = Math.min(maxDelay, minDelay * 2 ** ++this.attempts);
    return Math.round(minDelay + this.chance.random() * (bound - minDelay));
  }

  restart(): void {
    this.attempts = 0;
  }
}
