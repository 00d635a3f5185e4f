import { setTimeout as delay } from 'node:timers/promises';
import type { HistorySettings, HubAdapter, IdempotentResult } from '../adapter/hub-adapter';
import { encodeCursor } from '../protocol/cursor';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import type { ChannelRegistry } from './channel-registry';
import type { ChannelRules } from './channel-settings';
import type { ConnectionRegistry } from './connection-registry';
import { type FlushScheduler, LARGE_FAN_OUT } from './flush-scheduler';
import type { Frame } from './frame';
import type { HubStats } from './hub-stats';
import type { PublishResult } from './publish.types';

/** How long an idempotency key is remembered (PROTOCOL.md), in ms. */
const IDEMPOTENCY_TTL = 5 * 60_000;
/** How long a repeat waits for the first attempt that is still under way, in ms. */
const IDEMPOTENCY_WAIT = 5_000;
const IDEMPOTENCY_POLL = 25;

/** An encoded publication. */
export interface OutgoingPublication {
  readonly channel: string;
  readonly frame: Frame;
  readonly exclude?: readonly string[];
  readonly idempotencyKey?: string;
}

/**
 * Publishes in the two modes of delivery. Without history: this instance's subscribers first, then the others. With
 * history: the adapter appends, and every instance, this one too, delivers on receipt, so that all see one order.
 */
export class Publisher {
  constructor(
    private readonly adapter: HubAdapter,
    private readonly rules: ChannelRules,
    private readonly channels: ChannelRegistry,
    private readonly connections: ConnectionRegistry,
    private readonly stats: HubStats,
    private readonly scheduler: FlushScheduler,
  ) {}

  publish(publication: OutgoingPublication): Promise<PublishResult> {
    const { channel, idempotencyKey } = publication;
    // With history, the adapter looks the key up and appends in one step.
    if (idempotencyKey === undefined || this.historyOf(channel)) return this.publishNow(publication);
    return this.once(channel, idempotencyKey, () => this.publishNow(publication));
  }

  /**
   * Does the work that a key stands for, or, when it was done within the last 5 minutes, returns what came of it.
   *
   * Work that fails is done again by a repeat, also when it is unknown what became of it: what it appends to a history has to
   * have a key of its own then, with which the repeat is told.
   */
  async once(channel: string, idempotencyKey: string, work: () => Promise<PublishResult>): Promise<PublishResult> {
    const key = `${channel}\n${idempotencyKey}`;
    const first = await this.claim(key);
    if (first) return repeatOf(first);
    let result: PublishResult;
    try {
      result = await work();
    } catch (error) {
      await this.adapter.release(key).catch(() => undefined);
      throw error;
    }
    // It is published: with the key given back, a repeat would publish it again. So the key stays taken in any case.
    await this.adapter.remember(key, result, IDEMPOTENCY_TTL).catch(() => undefined);
    return result;
  }

  /** Publishes past the history: what it says is true only now (join, leave). */
  publishTransient(publication: OutgoingPublication): Promise<PublishResult> {
    return this.publishWithoutHistory(publication);
  }

  async broadcast(frame: Frame): Promise<PublishResult> {
    this.stats.published++;
    this.broadcastLocally(frame);
    return { delivered: await this.adapter.broadcast(frame.payload) };
  }

  broadcastLocally(frame: Frame): void {
    const isLarge = this.connections.size >= LARGE_FAN_OUT;
    if (isLarge) this.scheduler.splitWave();
    let delivered = 0;
    for (const connection of this.connections.values()) {
      if (connection.send(frame)) delivered++;
    }
    if (isLarge) this.scheduler.splitWave();
    this.stats.delivered += delivered;
  }

  /** Publishes as part of what {@link once} guards: only a history looks the publication's own key up. */
  publishNow(publication: OutgoingPublication): Promise<PublishResult> {
    const history = this.historyOf(publication.channel);
    return history === undefined ? this.publishWithoutHistory(publication) : this.append(publication, history);
  }

  private historyOf(channel: string): HistorySettings | undefined {
    return (this.channels.get(channel)?.settings ?? this.rules.for(channel)).history;
  }

  private async append(
    { channel, frame, exclude, idempotencyKey }: OutgoingPublication,
    history: HistorySettings,
  ): Promise<PublishResult> {
    const once = idempotencyKey === undefined ? undefined : { key: idempotencyKey, ttl: IDEMPOTENCY_TTL };
    const { position, duplicate } = await this.adapter.append({ channel, payload: frame.payload, exclude }, history, once);
    const result: PublishResult = { delivered: 'cluster', cursor: encodeCursor(position) };
    if (duplicate) return { ...result, duplicate };
    this.stats.published++;
    return result;
  }

  private async publishWithoutHistory({ channel, frame, exclude }: OutgoingPublication): Promise<PublishResult> {
    this.stats.published++;
    const local = this.channels.get(channel);
    if (local) this.stats.delivered += local.fanOut(frame, undefined, exclude);
    return { delivered: await this.adapter.publish({ channel, payload: frame.payload, exclude }) };
  }

  /** @returns the outcome of the first attempt, or undefined when this is the first */
  private async claim(key: string): Promise<IdempotentResult | undefined> {
    const deadline = Date.now() + IDEMPOTENCY_WAIT;
    for (;;) {
      const first = await this.adapter.claim(key, IDEMPOTENCY_TTL);
      if (first === undefined || first.delivered !== undefined) return first;
      if (Date.now() >= deadline) {
        throw new RealtimeError(
          ErrorCode.Unavailable,
          'An earlier publication with the same idempotencyKey is still under way. Try again later with the same key.',
        );
      }
      await delay(IDEMPOTENCY_POLL);
    }
  }
}

function repeatOf(first: IdempotentResult): PublishResult {
  return { delivered: first.delivered ?? 'cluster', cursor: first.cursor, duplicate: true };
}
