import type { Subscription } from './subscription';

/** A member whose connection was lost, and when it is given up. */
interface Lingering {
  readonly subscription: Subscription;
  /** ms since the epoch. */
  readonly until: number;
}

/** Members that may wait at a time; one more is given up at once. */
const MAX_LINGERING = 100_000;

/**
 * Members whose connection was lost, until their grace period is over. Members with the same period wait in one queue, in
 * the order of their time, behind one timer.
 */
export class LingeringMembers {
  private readonly queues = new Map<number, Map<string, Lingering>>();
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private count = 0;

  /** @param giveUp is called once for each member that has not been taken back; it must not throw */
  constructor(
    private readonly giveUp: (subscription: Subscription) => void,
    private readonly capacity = MAX_LINGERING,
  ) {}

  get size(): number {
    return this.count;
  }

  /** @param gracePeriod ms */
  add(subscription: Subscription, gracePeriod: number): void {
    if (this.count >= this.capacity) {
      this.giveUp(subscription);
      return;
    }
    const queue = this.queues.get(gracePeriod) ?? new Map<string, Lingering>();
    this.queues.set(gracePeriod, queue);
    const key = keyOf(subscription);
    if (queue.delete(key)) this.count--;
    queue.set(key, { subscription, until: Date.now() + gracePeriod });
    this.count++;
    this.schedule(gracePeriod, queue);
  }

  /** The same connection is a member again. @returns whether it was waiting here */
  takeBack(subscription: Subscription): boolean {
    if (!subscription.active) return false;
    const gracePeriod = subscription.channel.settings.presence?.gracePeriod ?? 0;
    const taken = this.queues.get(gracePeriod)?.delete(keyOf(subscription)) ?? false;
    if (taken) this.count--;
    return taken;
  }

  /** Gives up everyone at once, and leaves no timer. */
  flush(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    const all = [...this.queues.values()].flatMap((queue) => [...queue.values()]);
    this.timers.clear();
    this.queues.clear();
    this.count = 0;
    for (const { subscription } of all) this.giveUp(subscription);
  }

  private schedule(gracePeriod: number, queue: Map<string, Lingering>): void {
    const [first] = queue.values();
    if (first === undefined) this.queues.delete(gracePeriod);
    if (first === undefined || this.timers.has(gracePeriod)) return;
    const timer = setTimeout(() => this.expire(gracePeriod, queue), Math.max(1, first.until - Date.now()));
    this.timers.set(gracePeriod, timer.unref());
  }

  private expire(gracePeriod: number, queue: Map<string, Lingering>): void {
    this.timers.delete(gracePeriod);
    const now = Date.now();
    for (const [key, { subscription, until }] of queue) {
      if (until > now) break;
      queue.delete(key);
      this.count--;
      this.giveUp(subscription);
    }
    this.schedule(gracePeriod, queue);
  }
}

function keyOf({ channel, connection }: Subscription): string {
  return `${channel.name}\n${connection.id}`;
}
