import { Logger } from '@nestjs/common';
import type { Position } from '../../protocol/cursor';
import { encodeMessage, type EnvelopeFields } from '../../protocol/envelope';
import type { RedisStreamSourceOptions, StreamPublication } from './redis-stream.options';
import { EntryPlace, MAX_PUBLICATIONS, type ReadEntry } from './stream-entry';

/** A publication of an entry, encoded only when somebody wants it. */
export interface MappedPublication {
  readonly channel: string;
  readonly position: Position;
  /** @throws when the data have no JSON form */
  encode(): Buffer;
}

/** Between two lines of the log about what was skipped, in ms. */
const LOG_INTERVAL = 10_000;

/** Makes publications of entries, and skips what cannot be one: a bad entry must not stop the stream. */
export class EntryMapper {
  /** Entries, and publications out of them, that were left out. */
  skipped = 0;
  private readonly logger = new Logger('RedisStreamSource');
  private loggedAt = -Infinity;
  private unlogged = 0;

  constructor(
    private readonly key: string,
    private readonly epoch: string,
    private readonly toPublications: RedisStreamSourceOptions['toPublications'],
    private readonly envelope: EnvelopeFields,
    private readonly owns: (channel: string) => boolean,
  ) {}

  /** @param live whether to count what is skipped; a second reading of the same entry does not */
  map(entry: ReadEntry, live: boolean): MappedPublication[] {
    const place = EntryPlace.of(this.epoch, entry.id, entry.tag);
    if (!place) return this.skip(entry, 'its id is too large', live);
    let publications: readonly StreamPublication[];
    try {
      publications = this.toPublications({ id: entry.id, fields: entry.fields });
    } catch (error) {
      return this.skip(entry, `toPublications threw ${String(error)}`, live);
    }
    if (!Array.isArray(publications)) return this.skip(entry, 'toPublications gave no array', live);
    if (publications.length > MAX_PUBLICATIONS) return this.skip(entry, `it became more than ${MAX_PUBLICATIONS} publications`, live);
    return (publications as readonly unknown[]).flatMap((publication, index) => {
      if (!isPublication(publication)) return this.skip(entry, 'a publication has no channel or no type', live);
      const { channel } = publication;
      if (!this.owns(channel)) return this.skip(entry, `${JSON.stringify(channel)} is no channel of the source`, live);
      return [{ channel, position: place.at(index), encode: () => this.encode(publication, place.timestamp) }];
    });
  }

  /** Encodes, or skips what cannot be. */
  payloadOf(entry: ReadEntry, publication: MappedPublication, live: boolean): Buffer | undefined {
    try {
      return publication.encode();
    } catch (error) {
      this.skip(entry, String(error), live);
      return undefined;
    }
  }

  private encode({ channel, type, data }: StreamPublication, timestamp: string): Buffer {
    return Buffer.from(encodeMessage({ type, channel, data, timestamp }, this.envelope));
  }

  private skip({ id }: ReadEntry, why: string, live: boolean): [] {
    if (!live) return [];
    this.skipped++;
    this.unlogged++;
    const now = Date.now();
    if (now - this.loggedAt < LOG_INTERVAL) return [];
    const others = this.unlogged > 1 ? ` (and ${this.unlogged - 1} more since the last such line)` : '';
    this.logger.warn(`Stream ${JSON.stringify(this.key)}: entry ${id} was skipped: ${why}${others}`);
    this.loggedAt = now;
    this.unlogged = 0;
    return [];
  }
}

function isPublication(value: unknown): value is StreamPublication {
  const { channel, type } = (value ?? {}) as Partial<StreamPublication>;
  return typeof channel === 'string' && channel !== '' && typeof type === 'string' && type !== '';
}
