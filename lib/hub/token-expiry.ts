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
  /** Where each connection waits: by its token alone it could not be found again after a new one. */
  private readonly bucketOf = new Map<Connection, number>();
  private timer: NodeJS.Timeout | undefined;

  /** Watches a connection by its user's `expiresAt`. After a `refresh`, again. */
  watch(connection: Connection): void {
    this.forget(connection);
    const expiresAt = connection.user?.expiresAt;
    if (expiresAt === undefined) return this.stopWhenEmpty();
    const bucket = Math.ceil(expiresAt / RESOLUTION);
    const waiting = this.buckets.get(bucket);
    if (waiting) waiting.add(connection);
    else this.buckets.set(bucket, new Set([connection]));
    this.bucketOf.set(connection, bucket);
    this.timer ??= setInterval(() => this.sweep(Date.now()), RESOLUTION).unref();
  }

  /** Forgets a connection that has ended. */
  unwatch(connection: Connection): void {
    this.forget(connection);
    this.stopWhenEmpty();
  }

  stop(): void {
    this.buckets.clear();
    this.bucketOf.clear();
    this.stopWhenEmpty();
  }

  private sweep(now: number): void {
    const due = Math.floor(now / RESOLUTION);
    for (const [bucket, waiting] of this.buckets) {
      if (bucket > due) continue;
      this.buckets.delete(bucket);
      for (const connection of waiting) {
        this.bucketOf.delete(connection);
        this.closeIfExpired(connection, now);
      }
    }
    this.stopWhenEmpty();
  }

  private forget(connection: Connection): void {
    const bucket = this.bucketOf.get(connection);
    if (bucket === undefined) return;
    this.bucketOf.delete(connection);
    const waiting = this.buckets.get(bucket);
    if (waiting?.delete(connection) && waiting.size === 0) this.buckets.delete(bucket);
  }

  private closeIfExpired(connection: Connection, now: number): void {
    const expiresAt = connection.user?.expiresAt;
    if (expiresAt !== undefined && expiresAt <= now) connection.close(CloseCode.TokenExpired, 'token expired');
    // The application has given it another user by itself.
    else this.watch(connection);
  }

  private stopWhenEmpty(): void {
    if (this.buckets.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
