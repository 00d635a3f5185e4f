import { clusterSlot } from './cluster-slot';
import type { RedisClient } from './redis-client';

/** Channels named in one command. */
const BATCH = 512;

/** What a subscriber connection tells. */
export interface SubscriberEvents {
  onMessage(channel: string, message: Buffer): void;
  /** Redis has confirmed these: nothing published on them later is missed while the connection lasts. */
  onSubscribed(channels: readonly string[]): void;
  /** Redis will not have these subscribed to. */
  onRefused(channels: readonly string[], error: Error): void;
  /** A slot has moved to another node. */
  onMoved(): void;
}

/**
 * One connection that listens, and what it listens to. Whatever is wanted is subscribed to in batches, and again after
 * every reconnection.
 */
export class SubscriberConnection {
  private readonly wanted = new Set<string>();
  /** What Redis will have subscribed once it has worked through everything sent on this connection. */
  private readonly sent = new Set<string>();
  private readonly changed = new Set<string>();
  private scheduled: NodeJS.Immediate | undefined;
  /** Counts connections, so that a late answer is not taken for one of the current. */
  private life = 0;
  /** Messages received. */
  received = 0;

  /** @param sharded by SSUBSCRIBE, whose channels in one command must share a slot */
  constructor(
    readonly client: RedisClient,
    private readonly sharded: boolean,
    private readonly events: SubscriberEvents,
  ) {
    client.on('ready', () => this.onReady());
    client.on('close', () => this.onClose());
    client.on('moved', () => events.onMoved());
    client.on(sharded ? 'smessageBuffer' : 'messageBuffer', (channel, message) => {
      this.received++;
      events.onMessage(channel.toString('utf8'), message);
    });
  }

  get ready(): boolean {
    return this.client.status === 'ready';
  }

  add(channel: string): void {
    this.wanted.add(channel);
    this.touch(channel);
  }

  remove(channel: string): void {
    if (this.wanted.delete(channel)) this.touch(channel);
  }

  close(): void {
    clearImmediate(this.scheduled);
    this.wanted.clear();
    this.changed.clear();
  }

  private touch(channel: string): void {
    this.changed.add(channel);
    // Once a turn of the loop, so that channels taken by many clients at the same time go in one command.
    this.scheduled ??= setImmediate(() => this.flush());
  }

  private onReady(): void {
    for (const channel of this.wanted) this.changed.add(channel);
    this.flush();
  }

  private onClose(): void {
    this.life++;
    this.sent.clear();
  }

  private flush(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    // Otherwise all of it is done when the connection is ready.
    if (!this.ready) return;
    const added: string[] = [];
    const removed: string[] = [];
    for (const channel of this.changed) {
      // Given up and taken again since the last time, it is asked for again: whoever took it waits for an answer.
      if (this.wanted.has(channel)) added.push(channel);
      else if (this.sent.has(channel)) removed.push(channel);
    }
    this.changed.clear();
    for (const batch of this.batches(removed)) this.unsubscribe(batch);
    for (const batch of this.batches(added)) void this.subscribe(batch);
  }

  private async subscribe(channels: string[]): Promise<void> {
    const { life } = this;
    for (const channel of channels) this.sent.add(channel);
    try {
      await (this.sharded ? this.client.ssubscribe(...channels) : this.client.subscribe(...channels));
    } catch (error) {
      if (life === this.life) this.onFailure(channels, error as Error);
      return;
    }
    if (life === this.life) this.events.onSubscribed(channels.filter((channel) => this.wanted.has(channel)));
  }

  private onFailure(channels: readonly string[], error: Error): void {
    for (const channel of channels) this.sent.delete(channel);
    // Without an answer the connection is gone, and the next one subscribes to everything.
    if (error.name !== 'ReplyError') return;
    if (error.message.startsWith('MOVED') || error.message.startsWith('CLUSTERDOWN')) this.events.onMoved();
    else this.events.onRefused(channels, error);
  }

  private unsubscribe(channels: string[]): void {
    for (const channel of channels) this.sent.delete(channel);
    const done = this.sharded ? this.client.sunsubscribe(...channels) : this.client.unsubscribe(...channels);
    // When it fails, the connection is gone, or the slot: either way nothing is subscribed any more.
    done.catch(() => undefined);
  }

  private batches(channels: readonly string[]): string[][] {
    const groups = this.sharded ? bySlot(channels) : [channels];
    return groups.flatMap((group) =>
      Array.from({ length: Math.ceil(group.length / BATCH) }, (_, i) => group.slice(i * BATCH, (i + 1) * BATCH)),
    );
  }
}

function bySlot(channels: readonly string[]): string[][] {
  const groups = new Map<number, string[]>();
  for (const channel of channels) {
    const slot = clusterSlot(channel);
    const group = groups.get(slot);
    if (group) group.push(channel);
    else groups.set(slot, [channel]);
  }
  return [...groups.values()];
}
