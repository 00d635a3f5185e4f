import type { HistorySettings, HubAdapter } from '../adapter/hub-adapter';
import { encodeCursor } from '../protocol/cursor';
import type { ChannelRegistry } from './channel-registry';
import type { ChannelRules } from './channel-settings';
import type { ConnectionRegistry } from './connection-registry';
import { type FlushScheduler, LARGE_FAN_OUT } from './flush-scheduler';
import type { Frame } from './frame';
import type { HubStats } from './hub-stats';
import { IDEMPOTENCY_TTL, IdempotentWork } from './idempotent-work';
import type { PublishResult } from './publish.types';

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
  private readonly idempotentWork: IdempotentWork;

  constructor(
    private readonly adapter: HubAdapter,
    private readonly rules: ChannelRules,
    private readonly channels: ChannelRegistry,
    private readonly connections: ConnectionRegistry,
    private readonly stats: HubStats,
    private readonly scheduler: FlushScheduler,
  ) {
    this.idempotentWork = new IdempotentWork(adapter);
  }

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
  once(channel: string, idempotencyKey: string, work: () => Promise<PublishResult>): Promise<PublishResult> {
    return this.idempotentWork.once(`${channel}\n${idempotencyKey}`, work);
  }

  /** Nothing is done in the background any more. */
  close(): void {
    this.idempotentWork.close();
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
}
