import { CloseCode } from '../protocol/close-codes';
import type { Connection } from './connection';

/** How exactly tokens are held to their end, in ms. */
const RESOLUTION = 250;

/**
 * Ends connections whose credentials have ended. One timer for all of them: connections wait in buckets of a quarter of
 * a second, and the timer runs only while there is a bucket.
 */
export class TokenExpiry {
  private readonly buckets = new Map<number, Set<Connection>>();
  private timer: NodeJS.Timeout | undefined;

  /** Watches a connection by its user's `expiresAt`. After a `refresh`, again: the later time counts. */
  watch(connection: Connection): void {
    const expiresAt = connection.user?.expiresAt;
    if (expiresAt === undefined) return;
    const bucket = Math.ceil(expiresAt / RESOLUTION);
    const waiting = this.buckets.get(bucket);
    if (waiting) waiting.add(connection);
    else this.buckets.set(bucket, new Set([connection]));
    this.timer ??= setInterval(() => this.sweep(Date.now()), RESOLUTION).unref();
  }

  /** Forgets a connection that has ended. */
  unwatch(connection: Connection): void {
    const expiresAt = connection.user?.expiresAt;
    if (expiresAt === undefined) return;
    const bucket = Math.ceil(expiresAt / RESOLUTION);
    const waiting = this.buckets.get(bucket);
    if (waiting?.delete(connection) && waiting.size === 0) this.buckets.delete(bucket);
    this.stopWhenEmpty();
  }

  stop(): void {
    this.buckets.clear();
    this.stopWhenEmpty();
  }

  private sweep(now: number): void {
    const due = Math.floor(now / RESOLUTION);
    for (const [bucket, waiting] of this.buckets) {
      if (bucket > due) continue;
      this.buckets.delete(bucket);
      for (const connection of waiting) closeIfExpired(connection, now);
    }
    this.stopWhenEmpty();
  }

  private stopWhenEmpty(): void {
    if (this.buckets.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** A refreshed connection stands in a later bucket too, and passes this one by. */
function closeIfExpired(connection: Connection, now: number): void {
  const expiresAt = connection.user?.expiresAt;
  if (expiresAt !== undefined && expiresAt <= now) connection.close(CloseCode.TokenExpired, 'token expired');
}
