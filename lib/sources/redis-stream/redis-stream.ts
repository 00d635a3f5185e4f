import type { AdapterReceiver, AdapterStatus, HistoryPage, HistoryQuery, ReadRequest, ReadResult } from '../../adapter/hub-adapter';
import type { ConnectionSource } from '../../adapter/redis/connection/connection-source';
import { PatternRouter } from '../../hub/pattern-router';
import type { ChannelSource, SourceContext } from '../channel-source';
import { StreamSourceUnreachableError } from '../sources.errors';
import { EntryMapper } from './entry-mapper';
import type { StreamSettings } from './redis-stream.options';
import { StreamCommands } from './stream-commands';
import { epochOf, placeOf, type ReadEntry } from './stream-entry';
import { StreamHistory } from './stream-history';
import { StreamLink } from './stream-link';
import { StreamReader } from './stream-reader';

/** How long a connection attempt may take, in ms. */
const CONNECT_TIMEOUT = 10_000;

/** A Redis stream that feeds channels. One connection waits for new entries, whatever the number of subscribers; one reads. */
export class RedisStream implements ChannelSource {
  readonly name: string;
  private readonly epoch: string;
  private readonly mapper: EntryMapper;
  private readonly reads: StreamLink;
  private readonly keeper: StreamHistory;
  private readonly reader: StreamReader;
  private readonly wanted = new Set<string>();
  private receiver: AdapterReceiver | undefined;
  private stopped = false;

  constructor(
    { envelope }: SourceContext,
    private readonly settings: StreamSettings,
    patterns: readonly string[],
    private readonly redis: ConnectionSource,
  ) {
    const { key, from, maxScan, toPublications } = settings;
    this.name = `the Redis stream ${JSON.stringify(key)}`;
    const router = new PatternRouter<true>('redisStreamSource');
    for (const pattern of patterns) router.add(pattern, true);
    this.epoch = epochOf(key);
    this.mapper = new EntryMapper(key, this.epoch, toPublications, envelope, (channel) => router.find(channel) !== undefined);
    this.reads = new StreamLink(redis, key, 'source-reads', CONNECT_TIMEOUT);
    this.keeper = new StreamHistory(new StreamCommands(this.reads, key), this.mapper, this.epoch, maxScan);
    const link = new StreamLink(redis, key, 'source', CONNECT_TIMEOUT);
    this.reader = new StreamReader(link, key, from, { onEntry: (entry) => this.deliver(entry), onGap: (id) => this.tellOfGap(id) });
  }

  async start(receiver: AdapterReceiver): Promise<void> {
    this.receiver = receiver;
    try {
      await this.reader.start(this.settings.lazy);
    } catch (error) {
      await this.stop();
      throw new StreamSourceUnreachableError(this.settings.key, this.redis.endpoint, error);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.reads.close();
    await this.reader.stop();
  }

  subscribe(channel: string): void {
    this.wanted.add(channel);
  }

  unsubscribe(channel: string): void {
    this.wanted.delete(channel);
  }

  read(channel: string, request: ReadRequest): Promise<ReadResult> {
    return this.keeper.read(channel, request);
  }

  history(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    return this.keeper.page(channel, query);
  }

  status(): AdapterStatus {
    const { failure, figures } = this.reader;
    const reason = this.stopped ? 'stopped' : failure && `${this.name} cannot be read: ${failure}`;
    return {
      ready: reason === undefined,
      ...(reason !== undefined && { reason }),
      figures: { ...figures, skipped: this.mapper.skipped, channels: this.wanted.size },
    };
  }

  private deliver(entry: ReadEntry): void {
    for (const publication of this.mapper.map(entry, true)) {
      if (!this.wanted.has(publication.channel)) continue;
      const payload = this.mapper.payloadOf(entry, publication, true);
      if (payload) this.receiver?.onPublication(publication.channel, payload, publication.position);
    }
  }

  private tellOfGap(id: string): void {
    const position = placeOf(this.epoch, id).end;
    for (const channel of this.wanted) this.receiver?.onContinuityLost(channel, position);
  }
}
