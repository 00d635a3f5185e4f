import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { HubAdapter, IdempotentResult } from '../adapter/hub-adapter';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import type { PublishResult } from './publish.types';

/** How long an idempotency key is remembered (PROTOCOL.md), in ms. */
export const IDEMPOTENCY_TTL = 5 * 60_000;
/** How long a repeat waits for the first attempt that is still under way, in ms. */
const WAIT = 5_000;
const POLL = 25;
/** What could not be said of a key at once is tried again so often, in ms, for as long as the key may be taken. */
const RETRY = 500;
/** Keys of which that may be so. */
const MAX_UNSETTLED = 1_000;

/** Work that is done once for each idempotency key. */
export class IdempotentWork {
  private unsettled = 0;
  private closed = false;

  constructor(private readonly adapter: HubAdapter) {}

  /** Does the work, or, when it was done within the last 5 minutes, returns what came of it. */
  async once(key: string, work: () => Promise<PublishResult>): Promise<PublishResult> {
    const owner = randomUUID();
    const first = await this.claim(key, owner);
    if (first) return repeatOf(first);
    let result: PublishResult;
    try {
      result = await work();
    } catch (error) {
      await this.settle(() => this.adapter.release(key, owner));
      throw error;
    }
    // It is published: with the key given back, a repeat would publish it again. So the key stays taken in any case.
    await this.settle(() => this.adapter.remember(key, result, IDEMPOTENCY_TTL));
    return result;
  }

  /** Gives up what is not settled. */
  close(): void {
    this.closed = true;
  }

  /** @returns the outcome of the first attempt, or undefined when this is the first */
  private async claim(key: string, owner: string): Promise<IdempotentResult | undefined> {
    const deadline = Date.now() + WAIT;
    for (;;) {
      const first = await this.tryToClaim(key, owner);
      if (first === undefined || first.delivered !== undefined) return first;
      if (Date.now() >= deadline) {
        throw new RealtimeError(
          ErrorCode.Unavailable,
          'An earlier publication with the same idempotencyKey is still under way. Try again later with the same key.',
        );
      }
      await delay(POLL);
    }
  }

  private async tryToClaim(key: string, owner: string): Promise<IdempotentResult | undefined> {
    try {
      return await this.adapter.claim(key, IDEMPOTENCY_TTL, owner);
    } catch (error) {
      // The key may be taken, and then the next attempt would be kept waiting for work that is not being done.
      const isUnknown = (error as { outcome?: unknown }).outcome === 'unknown';
      if (isUnknown) this.settleLater(() => this.adapter.release(key, owner));
      throw error;
    }
  }

  private async settle(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch {
      this.settleLater(action);
    }
  }

  /** Once the adapter can be reached again. */
  private settleLater(action: () => Promise<void>): void {
    if (this.unsettled >= MAX_UNSETTLED) return;
    this.unsettled++;
    void this.retry(action, Date.now() + IDEMPOTENCY_TTL).finally(() => this.unsettled--);
  }

  private async retry(action: () => Promise<void>, until: number): Promise<void> {
    while (Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      if (this.closed) return;
      const isDone = await action().then(() => true, () => false);
      if (isDone) return;
    }
  }
}

function repeatOf(first: IdempotentResult): PublishResult {
  return { delivered: first.delivered ?? 'cluster', cursor: first.cursor, duplicate: true };
}
