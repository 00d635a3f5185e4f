import { type Channel, ClientLimitError, UnansweredError } from '../../../../lib/client';
import type { ModelServer } from './model-server';

/** Judges what one channel tells its application: every position once, in order, and no gap without word of it. */
export class ChannelObserver {
  readonly faults: string[] = [];
  received = 0;
  recovered = 0;
  gaps = 0;
  /** The position that must come next. */
  expected?: number;
  private mustReset = false;
  private isFresh = true;
  /** What to do in the middle of the next message. */
  onNextMessage?: () => void;

  constructor(readonly channel: Channel) {
    channel.on('message', (data) => this.message(data as number));
    channel.on('subscribed', ({ cursor, recovered }) => this.subscribed(Number(cursor), recovered));
    channel.on('reset', ({ cursor }) => this.reset(Number(cursor)));
    channel.on('unsubscribed', () => {
      this.isFresh = true;
      this.mustReset = false;
    });
  }

  private message(position: number): void {
    if (this.isFresh) this.faults.push(`${position} came without a subscription`);
    if (this.mustReset) this.faults.push(`${position} came after a gap that nobody was told of`);
    if (position !== this.expected) this.faults.push(`${position} came where ${this.expected} was due`);
    this.expected = position + 1;
    this.received++;
    const act = this.onNextMessage;
    this.onNextMessage = undefined;
    act?.();
  }

  private subscribed(position: number, recovered: boolean | undefined): void {
    const due = this.expected ?? 0;
    if (position + 1 < due) this.faults.push(`subscribed at ${position}, although ${due} is due`);
    if (recovered && position + 1 !== due) this.faults.push(`recovered at ${position}, although ${due} is due`);
    if (recovered) this.recovered++;
    this.mustReset = !this.isFresh && position + 1 !== due;
    this.isFresh = false;
    this.expected = position + 1;
  }

  private reset(position: number): void {
    if (position + 1 < this.expected!) this.faults.push(`reset to ${position}, although ${this.expected} is due`);
    this.gaps++;
    this.mustReset = false;
    this.expected = position + 1;
  }
}

/** Follows promises to their end. */
export class PromiseObserver {
  pending = 0;
  readonly faults: string[] = [];
  private readonly outcomes = new Map<string, unknown>();

  follow(promise: Promise<unknown>, key?: string): void {
    this.pending++;
    const settled = (outcome: unknown): void => {
      this.pending--;
      if (key !== undefined) this.outcomes.set(key, outcome);
    };
    promise.then(() => settled('ok'), settled);
  }

  /** What publishers were told must be what the server did. */
  judgePublications(server: ModelServer): string[] {
    const byChannel = [...server.histories.values()].map(({ publications }) => publications.flatMap(({ key }) => key ?? []));
    const faults = byChannel.flatMap((keys) =>
      keys.flatMap((key, index) => (index > 0 && keyNumber(keys[index - 1]!) >= keyNumber(key) ? `${key} came late` : [])),
    );
    const published = new Set(byChannel.flat());
    for (const [key, outcome] of this.outcomes) {
      const isPublished = published.has(key);
      const isDenied = outcome instanceof ClientLimitError || (outcome instanceof UnansweredError && !outcome.wasSent);
      if (outcome === 'ok' && !isPublished) faults.push(`${key} was acknowledged and not published`);
      if (isDenied && isPublished) faults.push(`${key} was published, and denied: ${String(outcome)}`);
    }
    return faults;
  }
}

function keyNumber(key: string): number {
  return Number(key.slice('key-'.length));
}
