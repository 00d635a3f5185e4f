import { decodeCursor, encodeCursor } from '../../protocol/cursor';
import type {
  AdapterDelivery,
  AdapterInstance,
  AdapterPublication,
  AdapterReceiver,
  AdapterStatus,
  AppendResult,
  HistoryPage,
  HistoryQuery,
  HistorySettings,
  HubAdapter,
  IdempotentResult,
  OnceKey,
  PresenceMember,
  ReadRequest,
  ReadResult,
} from '../hub-adapter';
import { TagSource } from '../tag-source';
import { ChannelHistory } from './channel-history';
import { IdempotencyKeys } from './idempotency-keys';
import { PresenceTable } from './presence-table';

/** Bounds of the in-memory adapter. */
export interface MemoryAdapterSettings {
  readonly instanceId: string;
  /** Channels whose history or position is kept; with more, the one used longest ago is forgotten. */
  readonly channels: number;
  /** Idempotency keys that are kept; with more, the oldest is forgotten. */
  readonly idempotencyKeys: number;
  /** How long the position of a channel is known after it was last used, in ms. */
  readonly positionTtl: number;
}

interface KeptChannel {
  readonly history: ChannelHistory;
  settings: HistorySettings;
}

const SWEEP_INTERVAL = 10_000;

/**
 * The adapter of a single process: nothing to install, nothing survives a restart. A cursor from before one is told from
 * a current one by its epoch.
 */
export class MemoryAdapter implements HubAdapter {
  readonly name = 'memory';
  private readonly channels = new Map<string, KeptChannel>();
  private readonly keys: IdempotencyKeys;
  private readonly presence = new PresenceTable();
  private readonly tags = new TagSource();
  private readonly startedAt = new Date().toISOString();
  private receiver: AdapterReceiver | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: MemoryAdapterSettings) {
    this.keys = new IdempotencyKeys(settings.idempotencyKeys);
  }

  async start(receiver: AdapterReceiver): Promise<void> {
    this.receiver = receiver;
    this.timer = setInterval(() => this.sweep(Date.now()), SWEEP_INTERVAL).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.receiver = undefined;
    this.channels.clear();
    this.keys.clear();
    this.presence.clear();
  }

  async subscribe(): Promise<void> {}

  unsubscribe(): void {}

  /** There is no other instance. */
  async publish(): Promise<AdapterDelivery> {
    return 'cluster';
  }

  async broadcast(): Promise<AdapterDelivery> {
    return 'cluster';
  }

  async control(): Promise<AdapterDelivery> {
    return 'cluster';
  }

  async append(publication: AdapterPublication, history: HistorySettings, once?: OnceKey): Promise<AppendResult> {
    if (once === undefined) return this.appendNow(publication, history);
    const key = `append\n${publication.channel}\n${once.key}`;
    const first = decodeCursor(this.keys.claim(key, once.ttl, Date.now())?.cursor);
    if (first) return { position: first, duplicate: true };
    const appended = this.appendNow(publication, history);
    this.keys.remember(key, { cursor: encodeCursor(appended.position) });
    return appended;
  }

  private appendNow({ channel, payload, exclude }: AdapterPublication, history: HistorySettings): AppendResult {
    const position = this.keep(channel, history).history.append(payload, history, Date.now());
    this.receiver?.onPublication(channel, payload, position, exclude);
    return { position };
  }

  async read(channel: string, request: ReadRequest, history: HistorySettings): Promise<ReadResult> {
    return this.keep(channel, history).history.read(request, history, Date.now());
  }

  async history(channel: string, query: HistoryQuery, history: HistorySettings): Promise<HistoryPage> {
    return this.keep(channel, history).history.page(query, history, Date.now());
  }

  async clearHistory(channel: string): Promise<void> {
    this.channels.delete(channel);
  }

  async claim(key: string, ttl: number, owner?: string): Promise<IdempotentResult | undefined> {
    return this.keys.claim(key, ttl, Date.now(), owner);
  }

  async remember(key: string, result: IdempotentResult): Promise<void> {
    this.keys.remember(key, result);
  }

  async release(key: string, owner?: string): Promise<void> {
    this.keys.release(key, owner);
  }

  async addMember(channel: string, member: PresenceMember): Promise<boolean> {
    return this.presence.add(channel, member);
  }

  async removeMember(channel: string, connectionId: string): Promise<boolean> {
    return this.presence.remove(channel, connectionId);
  }

  async members(channel: string): Promise<PresenceMember[]> {
    return this.presence.members(channel);
  }

  status(): AdapterStatus {
    return { ready: this.receiver !== undefined, figures: { channels: this.channels.size } };
  }

  async instances(): Promise<AdapterInstance[]> {
    return [{ id: this.settings.instanceId, startedAt: this.startedAt, counts: this.receiver?.counts?.() ?? {} }];
  }

  /** The map's order is that of last use, so that the first is the one to forget. */
  private keep(channel: string, settings: HistorySettings): KeptChannel {
    let kept = this.channels.get(channel);
    if (kept) {
      this.channels.delete(channel);
      kept.settings = settings;
    } else {
      if (this.channels.size >= this.settings.channels) this.channels.delete(this.channels.keys().next().value!);
      kept = { history: new ChannelHistory(this.tags, Date.now()), settings };
    }
    this.channels.set(channel, kept);
    return kept;
  }

  private sweep(now: number): void {
    this.keys.sweep(now);
    for (const [channel, { history, settings }] of this.channels) {
      history.trim(settings, now);
      if (now - history.usedAt >= Math.max(this.settings.positionTtl, settings.ttl)) this.channels.delete(channel);
    }
  }
}
