import type { EnvironmentEvent, Platform } from '../../../../lib/client';

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that moves when told to, with timers that go by the true time. */
export class FakePlatform implements Platform {
  /** What the clock is ahead of the true time: people and networks set clocks. */
  clockError = 0;
  /** What the next random numbers are, in turn; 0.5 when there are none. */
  randoms: number[] = [];
  private readonly timers = new Map<number, FakeTimer>();
  private readonly watchers = new Set<(event: EnvironmentEvent) => void>();
  private lastHandle = 0;

  private elapsed = 0;

  readonly now = (): number => this.time;
  readonly random = (): number => this.randoms.shift() ?? 0.5;

  readonly setTimeout = (callback: () => void, delay: number): number => {
    this.timers.set(++this.lastHandle, { at: this.elapsed + Math.max(delay, 0), callback });
    return this.lastHandle;
  };

  readonly clearTimeout = (handle: unknown): void => {
    this.timers.delete(handle as number);
  };

  readonly watch = (listener: (event: EnvironmentEvent) => void): (() => void) => {
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  };

  /** What the clock says. */
  get time(): number {
    return 1_800_000_000_000 + this.elapsed + this.clockError;
  }

  get pendingTimers(): number {
    return this.timers.size;
  }

  get pendingWatchers(): number {
    return this.watchers.size;
  }

  /** Milliseconds until the next timer; undefined without one. */
  get nextTimerIn(): number | undefined {
    const times = [...this.timers.values()].map(({ at }) => at);
    return times.length === 0 ? undefined : Math.min(...times) - this.elapsed;
  }

  async report(event: EnvironmentEvent): Promise<void> {
    for (const watcher of this.watchers) watcher(event);
    await settle();
  }

  /** Lets `ms` go by, running every timer at its time. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end).toSorted((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      const [handle, timer] = due;
      this.timers.delete(handle);
      this.elapsed = Math.max(this.elapsed, timer.at);
      timer.callback();
      await settle();
    }
    this.elapsed = end;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
