import type { Position } from '../protocol/cursor';
import type { HistoryPage, HistoryQuery, ReadBounds, ReadResult, StoredPublication } from './hub-adapter';

/** A publication in a history, with what proves its place. */
export interface HistoryEntry extends StoredPublication {
  /** Tag of the publication before this one, so that a cursor to it can still be proven when it has been trimmed. */
  readonly previousTag: string;
}

export function samePosition(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.tag === b.tag && a.epoch === b.epoch;
}

/** Whether `entry` is the very next publication after `position`. */
export function follows(entry: HistoryEntry, position: Position): boolean {
  return (
    entry.position.epoch === position.epoch &&
    entry.position.offset === position.offset + 1 &&
    entry.previousTag === position.tag
  );
}

/**
 * Whether a history that stands at `top` holds everything after `position`.
 *
 * @param next the oldest held entry with an offset above `position`'s; undefined when there is none
 */
export function isProven(position: Position, next: HistoryEntry | undefined, top: Position): boolean {
  return next === undefined ? samePosition(position, top) : follows(next, position);
}

/** Whether `newer`, in order, is every publication from `position` to `top`: each follows the one before. */
export function leadsTo(top: Position, position: Position, newer: readonly HistoryEntry[]): boolean {
  let last = position;
  for (const entry of newer) {
    if (!follows(entry, last)) return false;
    last = entry.position;
  }
  return samePosition(last, top);
}

/** @param newer every held entry with an offset above `after`'s, in order */
export function readAfter(after: Position, newer: readonly HistoryEntry[], top: Position, bounds?: ReadBounds): ReadResult {
  if (!leadsTo(top, after, newer) || !isWithin(newer, bounds)) return { recovered: false, publications: [], position: top };
  return { recovered: true, publications: newer.map(withoutProof), position: top };
}

/** Whether so much may be handed out at once. */
export function isWithin(publications: readonly StoredPublication[], bounds: ReadBounds | undefined): boolean {
  if (bounds === undefined) return true;
  if (publications.length > bounds.maxPublications) return false;
  let bytes = 0;
  for (const { payload } of publications) bytes += payload.length;
  return bytes <= bounds.maxBytes;
}

/** Of publications in order, as many of the newest as may be handed out at once. */
export function newestWithin(publications: StoredPublication[], bounds: ReadBounds | undefined): StoredPublication[] {
  if (bounds === undefined || isWithin(publications, bounds)) return publications;
  let bytes = 0;
  let start = publications.length;
  while (start > 0 && publications.length - start < bounds.maxPublications) {
    bytes += publications[start - 1]!.payload.length;
    if (bytes > bounds.maxBytes) break;
    start--;
  }
  return publications.slice(start);
}

/** What a history is asked for a page. Both lists are the nearest to the query's start, in the query's direction. */
export interface PageSource {
  readonly top: Position;
  /** Where the held entries begin; undefined when none is held. */
  readonly firstOffset: number | undefined;
  /** The held entry right after an offset. */
  next(offset: number): HistoryEntry | undefined;
  /** Up to `count` held entries from `offset` on, upwards. */
  upwards(offset: number, count: number): readonly HistoryEntry[];
  /** Up to `count` held entries from `offset` on, downwards. */
  downwards(offset: number, count: number): readonly HistoryEntry[];
}

/** Pages through a history that is at hand. */
export function pageOf(source: PageSource, query: HistoryQuery): HistoryPage {
  return query.reverse ? pageDown(source, query) : pageUp(source, query);
}

function pageUp(source: PageSource, { limit, after }: HistoryQuery): HistoryPage {
  const { top } = source;
  const proven = after === undefined || (after.epoch === top.epoch && isProven(after, source.next(after.offset), top));
  const start = after !== undefined && proven ? after.offset + 1 : (source.firstOffset ?? 0);
  return toPage(source.upwards(start, limit + 1), limit, proven, top);
}

function pageDown(source: PageSource, { limit, after }: HistoryQuery): HistoryPage {
  const { top, firstOffset } = source;
  if (after === undefined) return toPage(source.downwards(top.offset, limit + 1), limit, true, top);
  // Past the oldest that is held: that is the end in this direction, however long ago the rest was trimmed.
  const pastTheEnd = after.epoch === top.epoch && after.offset <= (firstOffset ?? top.offset);
  if (pastTheEnd) return { publications: [], position: top, complete: true };
  const proven = after.epoch === top.epoch && isProven(after, source.next(after.offset), top);
  return toPage(source.downwards(proven ? after.offset - 1 : top.offset, limit + 1), limit, proven, top);
}

/** @param found one more than asked for, where there is one: it tells whether the page is the last */
function toPage(found: readonly HistoryEntry[], limit: number, proven: boolean, position: Position): HistoryPage {
  const publications = found.slice(0, limit).map(withoutProof);
  return { publications, position, complete: proven && found.length <= limit };
}

export function withoutProof({ position, payload }: HistoryEntry): StoredPublication {
  return { position, payload };
}
