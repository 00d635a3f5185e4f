import type { Transport } from './transport';

/** Failures in a row after which a transport that has worked before is given up for the next. */
const PATIENCE = 3;

/**
 * Which transport to try. The first one is preferred: the next is tried when it has never worked here, or has failed
 * some times in a row (a restarting server must not push every client to its fall-back).
 */
export class TransportChoice {
  private index = 0;
  private failures = 0;
  private firstHasWorked = false;

  constructor(private readonly transports: readonly Transport[]) {}

  get current(): Transport {
    return this.transports[this.index]!;
  }

  /** The current transport has opened a link. */
  worked(): void {
    if (this.index > 0) return;
    this.firstHasWorked = true;
    this.failures = 0;
  }

  /** The current transport could not open a link. @returns whether to try another one at once */
  fallBack(): boolean {
    if (this.index === 0 && this.firstHasWorked && ++this.failures < PATIENCE) return false;
    if (this.index + 1 >= this.transports.length) return false;
    this.index++;
    return true;
  }

  /** The next attempt begins with the first transport. */
  restart(): void {
    this.index = 0;
  }
}
