import type { Position } from '../../protocol/cursor';
import { type HistoryEntry, newestWithin, pageOf, readAfter, withoutProof } from '../continuity';
import type { HistoryPage, HistoryQuery, HistorySettings, ReadRequest, ReadResult } from '../hub-adapter';
import type { TagSource } from '../tag-source';

interface TimedEntry extends HistoryEntry {
  /** When it was appended, in ms since the epoch. */
  readonly at: number;
}

/** Trimmed entries are left in front until there are so many of them, and more than are held: then the rest is moved. */
const COMPACT_AT = 64;

/** The history of one channel, in memory. Offsets are contiguous, so an entry's index follows from its offset. */
export class ChannelHistory {
  private top: Position;
  private entries: TimedEntry[] = [];
  /** Index of the oldest entry that is held. */
  private start = 0;
  /** When something was last appended or asked for, in ms since the epoch. */
  usedAt: number;

  constructor(
    private readonly tags: TagSource,
    now: number,
  ) {
    this.top = { epoch: tags.nextEpoch(), offset: 0, tag: '' };
    this.usedAt = now;
  }

  append(payload: Buffer, settings: HistorySettings, now: number): Position {
    this.trim(settings, now);
    const { epoch, offset, tag: previousTag } = this.top;
    this.top = { epoch, offset: offset + 1, tag: this.tags.nextTag() };
    this.entries.push({ position: this.top, previousTag, payload, at: now });
    this.usedAt = now;
    if (this.length > settings.size) this.drop(this.length - settings.size);
    return this.top;
  }

  read({ after, last = 0, bounds }: ReadRequest, settings: HistorySettings, now: number): ReadResult {
    this.trim(settings, now);
    this.usedAt = now;
    if (after) return readAfter(after, this.upwards(after.offset + 1, this.length), this.top, bounds);
    const publications = last === 0 ? [] : this.entries.slice(Math.max(this.start, this.entries.length - last));
    return { recovered: true, publications: newestWithin(publications.map(withoutProof), bounds), position: this.top };
  }

  page(query: HistoryQuery, settings: HistorySettings, now: number): HistoryPage {
    this.trim(settings, now);
    return pageOf(
      {
        top: this.top,
        firstOffset: this.entries[this.start]?.position.offset,
        next: (offset) => this.at(offset + 1),
        upwards: (offset, count) => this.upwards(offset, count),
        downwards: (offset, count) => this.downwards(offset, count),
      },
      query,
    );
  }

  /** Lets go of what is no longer handed out. */
  trim({ ttl, maxAge }: HistorySettings, now: number): void {
    const newest = this.entries.at(-1);
    if (newest === undefined) return;
    if (now - newest.at >= ttl) {
      this.drop(this.length);
      return;
    }
    if (maxAge === undefined) return;
    let old = 0;
    while (old < this.length && now - this.entries[this.start + old]!.at >= maxAge) old++;
    this.drop(old);
  }

  private get length(): number {
    return this.entries.length - this.start;
  }

  private drop(count: number): void {
    this.start += count;
    if (this.length > 0 && this.start < Math.max(COMPACT_AT, this.length)) return;
    this.entries = this.entries.slice(this.start);
    this.start = 0;
  }

  private indexOf(offset: number): number {
    const first = this.entries[this.start]?.position.offset;
    return first === undefined ? this.entries.length : this.start + offset - first;
  }

  private at(offset: number): TimedEntry | undefined {
    const index = this.indexOf(offset);
    return index < this.start ? this.entries[this.start] : this.entries[index];
  }

  private upwards(offset: number, count: number): TimedEntry[] {
    const from = Math.max(this.start, this.indexOf(offset));
    return this.entries.slice(from, from + count);
  }

  private downwards(offset: number, count: number): TimedEntry[] {
    const to = Math.min(this.entries.length, this.indexOf(offset) + 1);
    return this.entries.slice(Math.max(this.start, to - count), Math.max(this.start, to)).toReversed();
  }
}
