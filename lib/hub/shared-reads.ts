import type { HistorySettings, HubAdapter, ReadBounds, ReadResult } from '../adapter/hub-adapter';
import { comparePositions, encodeCursor, type Position } from '../protocol/cursor';
import { HeldRead, JoinRead } from './join-read';
import { ReadBudget, type Reader } from './read-budget';
import { SharedPublication } from './shared-publication';

/** Everything after a position, or the last so many. */
export type JoinQuery = { readonly after: Position } | { readonly last: number };

interface Waiting {
  readonly query: JoinQuery;
  readonly resolve: (read: JoinRead) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for the next read of a channel. */
interface Group {
  readonly key: string;
  readonly channel: string;
  readonly history: HistorySettings;
  members: Waiting[];
  /** Whether it is its turn, as soon as it may read. */
  queued: boolean;
  reading: boolean;
}

/**
 * Reads histories for many subscribers at once. All who ask while their channel is being read, or waits to be, share the
 * next read: it begins from the lowest of their positions, and each position is proven against what it brings. Nobody is
 * served by a read that had begun before he asked, because his live publications were not held back yet.
 */
export class SharedReads {
  /** Reads that were made, and those that asked. */
  readonly figures = { asked: 0, read: 0 };
  private readonly groups = new Map<string, Group>();
  private readonly queue: Group[] = [];
  private readonly budget: ReadBudget;

  constructor(
    private readonly adapter: HubAdapter,
    private readonly bounds: ReadBounds,
  ) {
    this.budget = new ReadBudget(bounds.maxBytes);
  }

  /** Bytes that are held for those who join, or may be brought by reads that are under way. */
  get bytes(): number {
    return this.budget.bytes;
  }

  /**
   * Waits for a reader before it is sent more of a read. When others need the memory first, what is left of the read is let
   * go of, and is to be read again.
   */
  async stall(read: JoinRead, reader: Reader): Promise<void> {
    const waited = this.budget.stall(reader, () => read.letGo());
    this.pump();
    await waited;
  }

  /** The caller gives what it gets back with {@link JoinRead.letGo}. */
  read(channel: string, query: JoinQuery, history: HistorySettings): Promise<JoinRead> {
    this.figures.asked++;
    return new Promise((resolve, reject) => {
      // Cursors of another life share nothing with those of this one.
      const key = 'after' in query ? `${channel} ${query.after.epoch}` : channel;
      const group = this.groups.get(key) ?? { key, channel, history, members: [], queued: false, reading: false };
      this.groups.set(key, group);
      group.members.push({ query, resolve, reject });
      if (!group.queued && !group.reading) this.enqueue(group);
    });
  }

  private enqueue(group: Group): void {
    group.queued = true;
    this.queue.push(group);
    this.pump();
  }

  private pump(): void {
    while (this.queue.length > 0 && this.budget.makeRoom()) {
      // Making room may have been enough for somebody to go ahead.
      const group = this.queue.shift();
      if (group) void this.work(group);
    }
  }

  private async work(group: Group): Promise<void> {
    const { perRead } = this.budget;
    this.budget.take(perRead);
    group.queued = false;
    group.reading = true;
    const members = group.members;
    group.members = [];
    try {
      await this.serve(group, members);
    } catch (error) {
      for (const { reject } of members) reject(error);
    }
    this.budget.give(perRead);
    group.reading = false;
    if (group.members.length > 0) this.enqueue(group);
    else this.groups.delete(group.key);
    this.pump();
  }

  private async serve(group: Group, members: readonly Waiting[]): Promise<void> {
    const [first] = members;
    if (first === undefined) return;
    if ('last' in first.query) return this.serveLast(group, members);
    const lowest = members.map(afterOf).reduce((low, each) => (comparePositions(each, low) < 0 ? each : low));
    const read = await this.fetch(group, { after: lowest });
    if (read.recovered) return this.settle(members, lowest, read);

    const refused = new JoinRead(false, read.position);
    const others = members.filter((member) => {
      if (!samePosition(afterOf(member), lowest)) return true;
      member.resolve(refused);
      return false;
    });
    if (others.length === 0) return;
    if (read.sparse) await this.serve(group, others);
    else await this.serveOthers(group, others);
  }

  /** The lowest of the positions could not be proven: the rest are held against what there is. */
  private async serveOthers(group: Group, members: readonly Waiting[]): Promise<void> {
    const read = await this.fetch(group, { last: this.bounds.maxPublications });
    const begin = read.publications[0]?.position.offset;
    // What stands right before the oldest that is held can only be proven by a read of its own.
    const isAtTheEdge = (member: Waiting): boolean => begin !== undefined && afterOf(member).offset === begin - 1;
    this.settle(members.filter((member) => !isAtTheEdge(member)), undefined, read);
    const tags = new Set(members.filter(isAtTheEdge).map((member) => afterOf(member).tag));
    for (const tag of tags) {
      const alike = members.filter((member) => isAtTheEdge(member) && afterOf(member).tag === tag);
      const after = afterOf(alike[0]!);
      this.settle(alike, after, await this.fetch(group, { after }));
    }
  }

  private async serveLast(group: Group, members: readonly Waiting[]): Promise<void> {
    const most = members.reduce((high, { query }) => Math.max(high, 'last' in query ? query.last : 0), 0);
    const read = await this.fetch(group, { last: Math.min(most, this.bounds.maxPublications) });
    const held = this.hold(read.publications.map((publication) => new SharedPublication(publication)));
    for (const { query, resolve } of members) {
      const count = 'last' in query ? query.last : 0;
      resolve(held.use(read.position, Math.max(0, held.publications.length - count)));
    }
  }

  /** @param from what the read has proven; undefined: nothing but what it holds */
  private settle(members: readonly Waiting[], from: Position | undefined, read: ReadResult): void {
    const { position } = read;
    const publications = read.publications.map((publication) => new SharedPublication(publication));
    const held = this.hold(publications);
    const oldestAllowed = publications.length - held.publications.length;
    for (const member of members) {
      const start = read.recovered ? startOf(afterOf(member), from, publications, read) : -1;
      if (start < oldestAllowed) member.resolve(new JoinRead(false, position));
      else member.resolve(held.use(position, start - oldestAllowed));
    }
  }

  /** Those that are within the bounds. */
  private hold(publications: readonly SharedPublication[]): HeldRead {
    const fitting = publications.slice(publications.length - this.fittingCount(publications));
    return new HeldRead(fitting, this.budget, () => this.pump());
  }

  /** How many of the newest are within the bounds. */
  private fittingCount(publications: readonly SharedPublication[]): number {
    const { maxPublications, maxBytes } = this.bounds;
    let bytes = 0;
    let count = 0;
    while (count < publications.length && count < maxPublications) {
      bytes += publications[publications.length - 1 - count]!.bytes;
      if (bytes > maxBytes) break;
      count++;
    }
    return count;
  }

  private fetch({ channel, history }: Group, query: JoinQuery): Promise<ReadResult> {
    this.figures.read++;
    return this.adapter.read(channel, { ...query, bounds: this.bounds }, history);
  }
}

function samePosition(a: Position, b: Position): boolean {
  return encodeCursor(a) === encodeCursor(b);
}

function afterOf({ query }: Waiting): Position {
  if ('after' in query) return query.after;
  throw new TypeError('Only positions are read together with positions');
}

/** @returns the index of the first publication after a position, or -1 when that cannot be proven */
function startOf(
  after: Position,
  from: Position | undefined,
  publications: readonly SharedPublication[],
  { sparse, position }: ReadResult,
): number {
  if (!sparse) return indexAfter(after, from, publications, position);
  if (samePosition(after, position)) return publications.length;
  if (comparePositions(after, position) > 0) return -1;
  const start = publications.findIndex((publication) => comparePositions(publication.position, after) > 0);
  return start === -1 ? publications.length : start;
}

/** The same where offsets leave no number out. */
function indexAfter(
  after: Position,
  from: Position | undefined,
  publications: readonly SharedPublication[],
  top: Position,
): number {
  if (samePosition(after, top)) return publications.length;
  if (from && samePosition(after, from)) return 0;
  const first = publications[0]?.position.offset ?? Infinity;
  const own = publications[after.offset - first];
  return own && samePosition(own.position, after) ? after.offset - first + 1 : -1;
}
