import { Logger } from '@nestjs/common';
import { decodeCursor, type Position } from '../../../protocol/cursor';
import { AdapterUnavailableError } from '../../adapter.errors';
import { isProven, newestWithin, pageOf, type PageSource, readAfter, withoutProof } from '../../continuity';
import type {
  AdapterPublication,
  AppendResult,
  HistoryPage,
  HistoryQuery,
  HistorySettings,
  OnceKey,
  ReadBounds,
  ReadRequest,
  ReadResult,
} from '../../hub-adapter';
import { TagSource } from '../../tag-source';
import type { Call, RedisArgument, RedisCommands } from '../connection/redis-commands';
import type { Topology } from '../connection/topology';
import { PublishQueue, type QueueBudget } from '../publish-queue';
import type { RedisNames } from '../redis-names';
import { APPEND, CLEAR, READ } from './history-scripts';
import { readStoredChannel, type StoredChannel } from './stored-channel';

const OPERATION = 'Publishing with history';
/** Between two lines in the log about foreign entries, in ms. */
const WARN_INTERVAL = 60_000;

interface Append {
  readonly publication: AdapterPublication;
  readonly settings: HistorySettings;
  readonly once: OnceKey | undefined;
}

/** The histories of channels, in Redis. */
export class RedisHistory {
  private readonly tags = new TagSource();
  private readonly queue: PublishQueue<Append, AppendResult>;
  private readonly logger = new Logger('RedisAdapter');
  private warnedAt = -Infinity;

  /**
   * @param envelopeStart the start of every envelope of this instance, up to its id
   * @param positionTtl ms that an unused channel's position is known
   */
  constructor(
    private readonly commands: RedisCommands,
    private readonly topology: Topology,
    private readonly names: RedisNames,
    budget: QueueBudget,
    private readonly envelopeStart: string,
    private readonly positionTtl: number,
  ) {
    this.queue = new PublishQueue(OPERATION, budget, (first, collect, timeout) =>
      this.appendBatch(first, collect, timeout),
    );
  }

  /** @throws HubBusyError, AdapterUnavailableError */
  append(publication: AdapterPublication, settings: HistorySettings, once?: OnceKey): Promise<AppendResult> {
    const route = this.topology.routeOf(this.names.channel(publication.channel));
    return this.queue.add(route, { publication, settings, once }, publication.payload.length);
  }

  /** One view of where the channel stands and what is held after a position; not more than the position where it is lost. */
  async after(channel: string, position: Position, settings: HistorySettings, bounds?: ReadBounds): Promise<StoredChannel> {
    return this.look(channel, settings, 'after', position.offset, position.epoch, bounds);
  }

  async read(channel: string, { after, last = 0, bounds }: ReadRequest, settings: HistorySettings): Promise<ReadResult> {
    if (after) {
      const { entries, top } = await this.after(channel, after, settings, bounds);
      return readAfter(after, entries, top, bounds);
    }
    const { entries, top } = await this.look(channel, settings, last === 0 ? 'none' : 'down', '+', last, bounds);
    return { recovered: true, publications: newestWithin(entries.map(withoutProof).toReversed(), bounds), position: top };
  }

  async page(channel: string, query: HistoryQuery, settings: HistorySettings): Promise<HistoryPage> {
    const { after, limit } = query;
    const direction = query.reverse ? 'down' : 'up';
    const end = query.reverse ? '+' : '-';
    // From one past `after` and two more than the limit: the one next to `after` proves it, the last tells if there is more.
    const from = after ? `${after.offset + 1}-0` : end;
    const near = await this.look(channel, settings, direction, from, limit + 3);
    if (after === undefined || isFound(near, after)) return pageFrom(near, query, limit + 3);
    const far = await this.look(channel, settings, direction, end, limit + 1);
    return pageFrom(far, query, limit + 1);
  }

  async clear(channel: string): Promise<void> {
    const keys = this.keysOf(channel);
    const args = [this.tags.nextEpoch(), this.positionTtl];
    await this.commands.script('Clearing a history', CLEAR, keys[0], keys, args);
  }

  close(): void {
    this.queue.close();
  }

  private async look(
    channel: string,
    { maxAge, ttl }: HistorySettings,
    what: 'none' | 'after' | 'up' | 'down',
    from: string | number,
    countOrEpoch: string | number,
    bounds?: ReadBounds,
  ): Promise<StoredChannel> {
    const keys = this.keysOf(channel);
    const args = [this.tags.nextEpoch(), Math.max(this.positionTtl, ttl), what, from, countOrEpoch, maxAge ?? 0];
    if (bounds) args.push(finite(bounds.maxPublications), finite(bounds.maxBytes));
    const reply = await this.commands.script('Reading a history', READ, keys[0], keys, args);
    const stored = readStoredChannel(reply);
    if (stored.foreign > 0) this.warn(keys[1], stored.foreign);
    return stored;
  }

  private warn(stream: string, foreign: number): void {
    const now = performance.now();
    if (now - this.warnedAt < WARN_INTERVAL) return;
    this.warnedAt = now;
    this.logger.warn(`Left out ${foreign} entries of ${stream} that are no publications: nobody else may write to a history`);
  }

  private keysOf(channel: string): [string, string] {
    const name = this.names.channel(channel);
    return [this.names.historyPosition(name), this.names.historyStream(name)];
  }

  private async appendBatch(
    first: Append,
    collect: () => readonly Append[],
    timeout: number,
  ): Promise<readonly (AppendResult | Error)[]> {
    const key = this.names.channel(first.publication.channel);
    const call: Call = async (client, asking) => {
      const appends = collect();
      if (appends.length === 0) return [];
      const keys: string[] = appends.flatMap(({ publication }) => this.keysOf(publication.channel));
      for (const { publication, once } of appends) {
        if (once) keys.push(this.names.publishedOnce(this.names.channel(publication.channel), once.key));
      }
      return APPEND.run(client, keys, this.appendArguments(appends), asking);
    };
    const reply = (await this.commands.run(OPERATION, key, call, timeout)) as Buffer[];
    return reply.map((result) => readAppended(result.toString('latin1')));
  }

  private appendArguments(appends: readonly Append[]): RedisArgument[] {
    const verb = this.topology.sharded ? 'SPUBLISH' : 'PUBLISH';
    const args: RedisArgument[] = [verb, this.envelopeStart, this.tags.nextEpoch(), `${this.tags.nextTag()}_`, this.positionTtl, appends.length];
    for (const { publication, settings, once } of appends) {
      const { channel, payload, exclude } = publication;
      const excluded = exclude === undefined || exclude.length === 0 ? '' : JSON.stringify(exclude);
      args.push(this.names.channel(channel), payload.toString('utf8'), excluded, settings.size, settings.ttl, once?.ttl ?? '');
    }
    return args;
  }
}

function readAppended(result: string): AppendResult | Error {
  const duplicate = result.startsWith('=');
  const position = decodeCursor(duplicate ? result.slice(1) : result);
  if (position) return duplicate ? { position, duplicate } : { position };
  return new AdapterUnavailableError(OPERATION, 'refused', `Redis said "${result.slice(1)}"`);
}

/** @param looked how many entries were asked for */
function pageFrom(stored: StoredChannel, query: HistoryQuery, looked: number): HistoryPage {
  const page = pageOf(sourceOf(stored), query);
  // What was left out may be all that told of more.
  const isCut = stored.foreign > 0 && stored.entries.length + stored.foreign >= looked;
  return isCut ? { ...page, complete: false } : page;
}

/** Whether what lies next to `after` tells where the page begins. */
function isFound(near: StoredChannel, after: Position): boolean {
  const source = sourceOf(near);
  const { top, firstOffset } = source;
  if (after.epoch === top.epoch && after.offset <= (firstOffset ?? top.offset)) return true;
  return isProven(after, source.next(after.offset), top);
}

function sourceOf({ top, oldest, entries }: StoredChannel): PageSource {
  const upwards = entries.toSorted((a, b) => a.position.offset - b.position.offset);
  return {
    top,
    firstOffset: upwards.length === 0 ? undefined : (oldest ?? upwards[0]!.position.offset),
    next: (offset) => upwards.find(({ position }) => position.offset === offset + 1),
    upwards: (offset, count) => upwards.filter(({ position }) => position.offset >= offset).slice(0, count),
    downwards: (offset, count) =>
      upwards
        .filter(({ position }) => position.offset <= offset)
        .toReversed()
        .slice(0, count),
  };
}

/** As the script knows it: without bounds there is the greatest number. */
function finite(bound: number): number {
  return Math.min(bound, Number.MAX_SAFE_INTEGER);
}
