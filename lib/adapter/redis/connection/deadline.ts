/** Rejects with `onTimeout()` when `work` is not settled within `ms`. The work itself goes on. */
export function withDeadline<T>(work: Promise<T>, ms: number, onTimeout: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(onTimeout()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What ends by itself when it is not settled in time. */
export interface Expiring {
  readonly deadline: number;
  expire(): void;
}

/**
 * Ends what is overdue, with one timer for all. Everything in it must live equally long, so that the first to come in is
 * the first to go.
 */
export class Deadlines<T extends Expiring> {
  private readonly items = new Set<T>();
  private timer: NodeJS.Timeout | undefined;

  get size(): number {
    return this.items.size;
  }

  add(item: T): void {
    this.items.add(item);
    if (this.timer === undefined) this.arm(item);
  }

  delete(item: T): void {
    this.items.delete(item);
  }

  /** Expires everything now. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.expireUntil(Infinity);
  }

  private arm(next: T): void {
    // It outlives what it was set for, and must not hold the process for that.
    this.timer = setTimeout(() => this.sweep(), Math.max(1, next.deadline - Date.now())).unref();
  }

  private sweep(): void {
    this.timer = undefined;
    this.expireUntil(Date.now());
    const [next] = this.items;
    if (next !== undefined && this.timer === undefined) this.arm(next);
  }

  private expireUntil(now: number): void {
    for (const item of this.items) {
      if (item.deadline > now) return;
      this.items.delete(item);
      item.expire();
    }
  }
}
