import { createHash } from 'node:crypto';
import type { Position } from '../../protocol/cursor';
import type { StreamEntry } from './redis-stream.options';

/** Publications of one entry that can be told apart; one place is the entry's end. */
const PLACES = 1024;
const LAST_PLACE = PLACES - 1;
export const MAX_PUBLICATIONS = 1000;
const TAG_LENGTH = 10;
/** Greater ones cannot be held exactly, nor put into a cursor. */
const MAX_OFFSET = 1e15 - 1;

/** The id that is before every entry's. */
export const START_ID = '0-0';

/** An entry as it was read. */
export interface ReadEntry extends StreamEntry {
  /** Names its content, so that another entry with its id, in a stream made anew, does not pass for it. */
  readonly tag: string;
}

/** The entries of an answer to XRANGE or XREVRANGE, or of one stream of XREAD. */
export function parseEntries(reply: unknown): ReadEntry[] {
  return (reply as [Buffer, Buffer[] | null][] | null ?? []).map(([id, values]) => toEntry(id.toString(), values ?? []));
}

/** The same of XREAD with one stream: a list of pairs in RESP2, and in RESP3 a map, which ioredis 6 gives as a flat list. */
export function parseXread(reply: unknown): ReadEntry[] {
  const streams = reply as [Buffer, unknown] | [[Buffer, unknown]] | null;
  const first = streams?.[0];
  return parseEntries(Array.isArray(first) ? first[1] : streams?.[1]);
}

function toEntry(id: string, values: readonly Buffer[]): ReadEntry {
  const hash = createHash('sha1');
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < values.length; i += 2) {
    const [name, value] = [values[i]!, values[i + 1]!];
    hash.update(`${name.length}:${value.length}:`).update(name).update(value);
    fields.push([name.toString('utf8'), value.toString('utf8')]);
  }
  return { id, fields: Object.fromEntries(fields), tag: hash.digest('hex').slice(0, TAG_LENGTH) };
}

/** Where an entry's publications stand. The id orders them: its first part is the offset, the second the minor. */
export class EntryPlace {
  private constructor(
    private readonly epoch: string,
    private readonly milliseconds: number,
    private readonly sequence: number,
    private readonly tag: string,
  ) {}

  /** @returns undefined for an id that is too large for a cursor */
  static of(epoch: string, id: string, tag = ''): EntryPlace | undefined {
    const [milliseconds = NaN, sequence = 0] = id.split('-').map(Number);
    if (!(milliseconds <= MAX_OFFSET) || !(sequence * PLACES + LAST_PLACE <= MAX_OFFSET)) return undefined;
    return new EntryPlace(epoch, milliseconds, sequence, tag);
  }

  /** Where the entry's publication with that index stands. */
  at(index: number): Position {
    const { epoch, milliseconds, sequence, tag } = this;
    return { epoch, offset: milliseconds, minor: sequence * PLACES + index, tag };
  }

  /** After all its publications. */
  get end(): Position {
    return this.at(LAST_PLACE);
  }

  /** What the id says about when the entry was appended. */
  get timestamp(): string {
    return new Date(this.milliseconds).toISOString();
  }
}

/** Of an entry of which only the id is known. One that is too large for a cursor counts as the stream's begin. */
export function placeOf(epoch: string, id: string, tag = ''): EntryPlace {
  return EntryPlace.of(epoch, id, tag) ?? EntryPlace.of(epoch, START_ID)!;
}

/** The id of the entry at a position, in the text that Redis takes. */
export function idAt({ offset, minor = 0 }: Position): string {
  return `${offset}-${Math.floor(minor / PLACES)}`;
}

/** Names the stream in cursors. A cursor says which entry it means, so one name for all lives of a stream will do. */
export function epochOf(key: string): string {
  return `s${createHash('sha1').update(key).digest('hex').slice(0, TAG_LENGTH)}`;
}
