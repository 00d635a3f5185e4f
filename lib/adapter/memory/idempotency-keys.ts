import type { IdempotentResult } from '../hub-adapter';

interface Entry {
  result: IdempotentResult;
  /** Who has claimed it; undefined once there is a result. */
  owner: string | undefined;
  readonly expiresAt: number;
}

/** Idempotency keys and what became of them. Most live equally long, so the oldest in the map is the next to be swept. */
export class IdempotencyKeys {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly capacity: number) {}

  /** @returns what is remembered under the key, or undefined when it is new and taken now */
  claim(key: string, ttl: number, now: number, owner?: string): IdempotentResult | undefined {
    this.sweep(now);
    const existing = this.entries.get(key);
    if (existing && existing.expiresAt > now) return isOwnedBy(existing, owner) ? undefined : existing.result;
    this.entries.delete(key);
    if (this.entries.size >= this.capacity) this.entries.delete(this.entries.keys().next().value!);
    this.entries.set(key, { result: {}, owner, expiresAt: now + ttl });
    return undefined;
  }

  remember(key: string, result: IdempotentResult): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    entry.result = result;
    entry.owner = undefined;
  }

  release(key: string, owner?: string): void {
    const entry = this.entries.get(key);
    if (entry && (owner === undefined || isOwnedBy(entry, owner))) this.entries.delete(key);
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

function isOwnedBy(entry: Entry, owner: string | undefined): boolean {
  return owner !== undefined && entry.owner === owner;
}
