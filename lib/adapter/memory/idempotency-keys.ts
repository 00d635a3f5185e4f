import type { IdempotentResult } from '../hub-adapter';

interface Entry {
  result: IdempotentResult;
  readonly expiresAt: number;
}

/** Idempotency keys and what became of them. Most live equally long, so the oldest in the map is the next to be swept. */
export class IdempotencyKeys {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly capacity: number) {}

  /** @returns what is remembered under the key, or undefined when it is new and taken now */
  claim(key: string, ttl: number, now: number): IdempotentResult | undefined {
    this.sweep(now);
    const existing = this.entries.get(key);
    if (existing && existing.expiresAt > now) return existing.result;
    this.entries.delete(key);
    if (this.entries.size >= this.capacity) this.entries.delete(this.entries.keys().next().value!);
    this.entries.set(key, { result: {}, expiresAt: now + ttl });
    return undefined;
  }

  remember(key: string, result: IdempotentResult): void {
    const entry = this.entries.get(key);
    if (entry) entry.result = result;
  }

  release(key: string): void {
    this.entries.delete(key);
  }

  sweep(now: number): void {
    for (const [key, { expiresAt }] of this.entries) {
      if (expiresAt > now) return;
      this.entries.delete(key);
    }
  }

  clear(): void {
    this.entries.clear();
  }
}
