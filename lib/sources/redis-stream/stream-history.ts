import { newestWithin } from '../../adapter/continuity';
import type { HistoryPage, HistoryQuery, ReadBounds, ReadRequest, ReadResult, StoredPublication } from '../../adapter/hub-adapter';
import { comparePositions, type Position } from '../../protocol/cursor';
import type { EntryMapper } from './entry-mapper';
import type { StreamCommands } from './stream-commands';
import { EntryPlace, idAt, placeOf, type ReadEntry, START_ID } from './stream-entry';

/** Entries that are read at a time. */
const PAGE = 200;
const UNBOUNDED: ReadBounds = { maxPublications: Infinity, maxBytes: Infinity };

/** What a scan of the stream has found of one channel. */
interface Scan {
  readonly publications: StoredPublication[];
  /** The entries between which was looked. */
  readonly first: ReadEntry | undefined;
  readonly last: ReadEntry | undefined;
  /** Whether the stream's end was reached, within the bounds. */
  readonly complete: boolean;
}

/**
 * The history of a source's channels, which is the stream itself.
 *
 * A cursor is proven by its entry: as long as that is held, nothing behind it has been trimmed, because trimming takes from
 * the front. Where the entry is gone, only a stream to which nothing has been added since proves it.
 */
export class StreamHistory {
  constructor(
    private readonly commands: StreamCommands,
    private readonly mapper: EntryMapper,
    private readonly epoch: string,
    private readonly maxScan: number,
  ) {}

  async read(channel: string, { after, last = 0, bounds = UNBOUNDED }: ReadRequest): Promise<ReadResult> {
    if (after) return this.readAfter(channel, after, bounds);
    const position = await this.top();
    if (last === 0) return { recovered: true, publications: [], position, sparse: true };
    const { publications } = await this.scan(channel, idAt(position), { ...bounds, maxPublications: last }, true);
    return { recovered: true, publications: newestWithin(publications.slice(0, last).toReversed(), bounds), position, sparse: true };
  }

  async page(channel: string, { limit, after, reverse = false }: HistoryQuery): Promise<HistoryPage> {
    const position = await this.top();
    const known = after && (await this.prove(after)) ? after : undefined;
    const from = known ? idAt(known) : reverse ? idAt(position) : START_ID;
    const { publications, complete } = await this.scan(channel, from, { ...UNBOUNDED, maxPublications: limit }, reverse, known);
    return { publications: publications.slice(0, limit), position, complete: complete && known === after };
  }

  /** After the newest entry. */
  async top(): Promise<Position> {
    const [newest] = await this.commands.downwards('+', 1);
    const id = newest?.id ?? (await this.commands.info()).lastId;
    return placeOf(this.epoch, id, newest?.tag).end;
  }

  private async readAfter(channel: string, after: Position, bounds: ReadBounds): Promise<ReadResult> {
    const proof = await this.prove(after);
    if (!proof) return this.refuse();
    if (proof === 'end') return { recovered: true, publications: [], position: after, sparse: true };
    const { publications, first, last, complete } = await this.scan(channel, idAt(after), bounds, false, after);
    // Something may have been trimmed since the proof.
    const holds = proof === 'held' ? first?.id === idAt(after) : (await this.prove(after)) === proof;
    if (!complete || !holds) return this.refuse();
    const end = last && EntryPlace.of(this.epoch, last.id, last.tag)?.end;
    return { recovered: true, publications, position: end ?? after, sparse: true };
  }

  private async refuse(): Promise<ReadResult> {
    return { recovered: false, publications: [], position: await this.top(), sparse: true };
  }

  /** @returns why everything after the position is still there: its entry is, there is nothing, or nothing was ever trimmed */
  async prove(position: Position): Promise<'held' | 'end' | 'whole' | undefined> {
    if (position.epoch !== this.epoch) return undefined;
    const id = idAt(position);
    const [entry] = await this.commands.upwards(id, 1);
    if (entry?.id === id) return entry.tag === position.tag || position.tag === '' ? 'held' : undefined;
    const { lastId, whole } = await this.commands.info();
    if (lastId === id) return 'end';
    return id === START_ID && whole ? 'whole' : undefined;
  }

  /**
   * A channel's publications from an entry on, that included, until the bounds are exceeded: one more than is asked for is
   * what says so.
   *
   * @param beyond leaves out what does not lie behind this position, in the direction of the scan
   */
  private async scan(channel: string, from: string, bounds: ReadBounds, downwards: boolean, beyond?: Position): Promise<Scan> {
    const publications: StoredPublication[] = [];
    const isWanted = ({ position }: StoredPublication): boolean =>
      beyond === undefined || (downwards ? comparePositions(position, beyond) < 0 : comparePositions(position, beyond) > 0);
    let [looked, bytes] = [0, 0];
    let first: ReadEntry | undefined;
    let last: ReadEntry | undefined;
    while (looked < this.maxScan) {
      const count = Math.min(PAGE, this.maxScan - looked) + 1;
      const at = last?.id ?? from;
      const page = await (downwards ? this.commands.downwards(at, count) : this.commands.upwards(at, count));
      // Each page begins with the last entry of the one before: so nothing has been trimmed between the two.
      if (last && page[0]?.id !== last.id) return { publications, first, last, complete: downwards };
      for (const entry of last ? page.slice(1) : page) {
        const found = this.found(channel, entry).filter(isWanted);
        publications.push(...(downwards ? found.toReversed() : found));
        bytes += found.reduce((sum, { payload }) => sum + payload.length, 0);
        first ??= entry;
        last = entry;
        looked++;
        if (publications.length > bounds.maxPublications || bytes > bounds.maxBytes) return { publications, first, last, complete: false };
      }
      if (page.length < count) return { publications, first, last, complete: true };
    }
    return { publications, first, last, complete: false };
  }

  private found(channel: string, entry: ReadEntry): StoredPublication[] {
    return this.mapper.map(entry, false).flatMap((publication) => {
      if (publication.channel !== channel) return [];
      const payload = this.mapper.payloadOf(entry, publication, false);
      return payload ? [{ position: publication.position, payload }] : [];
    });
  }
}
