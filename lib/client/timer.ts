import type { Platform } from './platform';

/** A longer delay overflows the timers of every runtime and would fire at once; nothing here suffers from an early call. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** One timer that is set anew or cleared, never leaked. */
export class Timer {
  /** Undefined since it was cleared. */
  handle: unknown;

  constructor(private readonly clock: Pick<Platform, 'setTimeout' | 'clearTimeout'>) {}

  /** Runs `callback` once after `delay` ms, in place of what was set before. */
  set(delay: number, callback: () => void): void {
    this.clear();
    this.handle = this.clock.setTimeout(callback, Math.min(delay, LONGEST_DELAY));
  }

  clear(): void {
    this.clock.clearTimeout(this.handle);
    this.handle = undefined;
  }
}
