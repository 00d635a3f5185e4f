import type {
  AdapterDelivery,
  AdapterInstance,
  AdapterPublication,
  AdapterReceiver,
  AdapterStatus,
  AppendResult,
  ControlCommand,
  HistoryPage,
  HistoryQuery,
  HistorySettings,
  HubAdapter,
  IdempotentResult,
  OnceKey,
  PresenceMember,
  ReadRequest,
  ReadResult,
} from '../adapter/hub-adapter';
import { PatternRouter } from '../hub/pattern-router';
import type { ChannelSource } from './channel-source';
import { SourceChannelError } from './sources.errors';

/** A source, and the channels that are its own. */
export interface SourceRoute {
  readonly patterns: readonly string[];
  readonly source: ChannelSource;
}

/**
 * The adapter of an application with sources: channels of a source are read from it, everything else goes to the adapter
 * beneath. So the hub treats both alike.
 */
export class SourcedAdapter implements HubAdapter {
  private readonly router = new PatternRouter<ChannelSource>('The option "sources"');
  private readonly sources: readonly ChannelSource[];

  /** @param isShared whether instances tell each other about a channel, as they do of presence */
  constructor(
    private readonly adapter: HubAdapter,
    routes: readonly SourceRoute[],
    private readonly isShared: (channel: string) => boolean,
  ) {
    for (const { patterns, source } of routes) {
      for (const pattern of patterns) this.router.add(pattern, source);
    }
    this.sources = routes.map(({ source }) => source);
  }

  get name(): string {
    return this.adapter.name;
  }

  async start(receiver: AdapterReceiver): Promise<void> {
    await this.adapter.start(receiver);
    await Promise.all(this.sources.map((source) => source.start(receiver)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.stop()));
    await this.adapter.stop();
  }

  async subscribe(channel: string): Promise<void> {
    const source = this.sourceOf(channel);
    source?.subscribe(channel);
    if (!source || this.isShared(channel)) await this.adapter.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    const source = this.sourceOf(channel);
    source?.unsubscribe(channel);
    if (!source || this.isShared(channel)) this.adapter.unsubscribe(channel);
  }

  publish(publication: AdapterPublication): Promise<AdapterDelivery> {
    return this.adapter.publish(publication);
  }

  async append(publication: AdapterPublication, history: HistorySettings, once?: OnceKey): Promise<AppendResult> {
    this.refuse('publish', publication.channel);
    return this.adapter.append(publication, history, once);
  }

  broadcast(payload: Buffer): Promise<AdapterDelivery> {
    return this.adapter.broadcast(payload);
  }

  control(command: ControlCommand): Promise<AdapterDelivery> {
    return this.adapter.control(command);
  }

  read(channel: string, request: ReadRequest, history: HistorySettings): Promise<ReadResult> {
    const source = this.sourceOf(channel);
    return source ? source.read(channel, request) : this.adapter.read(channel, request, history);
  }

  history(channel: string, query: HistoryQuery, history: HistorySettings): Promise<HistoryPage> {
    const source = this.sourceOf(channel);
    return source ? source.history(channel, query) : this.adapter.history(channel, query, history);
  }

  async clearHistory(channel: string): Promise<void> {
    this.refuse('clearHistory', channel);
    await this.adapter.clearHistory(channel);
  }

  claim(key: string, ttl: number, owner?: string): Promise<IdempotentResult | undefined> {
    return this.adapter.claim(key, ttl, owner);
  }

  remember(key: string, result: IdempotentResult, ttl: number): Promise<void> {
    return this.adapter.remember(key, result, ttl);
  }

  release(key: string, owner?: string): Promise<void> {
    return this.adapter.release(key, owner);
  }

  addMember(channel: string, member: PresenceMember): Promise<boolean> {
    return this.adapter.addMember(channel, member);
  }

  removeMember(channel: string, connectionId: string): Promise<boolean> {
    return this.adapter.removeMember(channel, connectionId);
  }

  members(channel: string): Promise<PresenceMember[]> {
    return this.adapter.members(channel);
  }

  /** Not ready as soon as one source is not; its figures are summed under `source.…`. */
  status(): AdapterStatus {
    const { ready, reason, figures } = this.adapter.status();
    const all = this.sources.map((source) => source.status());
    const away = all.find((status) => !status.ready);
    const sums: Record<string, number> = { ...figures };
    for (const status of all) {
      for (const [name, value] of Object.entries(status.figures)) sums[`source.${name}`] = (sums[`source.${name}`] ?? 0) + value;
    }
    const why = ready ? away?.reason : reason;
    return { ready: ready && away === undefined, ...(why !== undefined && { reason: why }), figures: sums };
  }

  instances(): Promise<AdapterInstance[]> {
    return this.adapter.instances();
  }

  private sourceOf(channel: string): ChannelSource | undefined {
    return this.router.find(channel)?.value;
  }

  /** @throws SourceChannelError */
  private refuse(operation: 'publish' | 'clearHistory', channel: string): void {
    const source = this.sourceOf(channel);
    if (source) throw new SourceChannelError(operation, channel, source.name);
  }
}
