import { encodeCursor, type Position } from '../../../protocol/cursor';
import { follows, leadsTo, samePosition } from '../../continuity';
import type { HistorySettings } from '../../hub-adapter';
import type { StoredChannel } from '../history/stored-channel';
import { RecentPositions } from './recent-positions';

/** A publication of a channel with history, as it came in. */
export interface LivePublication {
  readonly position: Position;
  readonly previousTag: string;
  readonly payload: Buffer;
  readonly exclude: readonly string[] | undefined;
  /** The cursor that the channel stood at before its history was cleared. */
  readonly link?: string | undefined;
}

/** What a channel needs of its surroundings. */
export interface LiveChannelHost {
  /** Everything in the history after a position. */
  readAfter(position: Position, settings: HistorySettings): Promise<StoredChannel>;
  deliver(publication: LivePublication): void;
  /** What lies before `position` may have been missed and cannot be had any more. */
  onContinuityLost(position: Position): void;
}

const MAX_HELD = 1024;
/** How long a publication that the history has may be under way, in ms, before it is fetched from there. */
const UNDER_WAY = 100;
/** Until a read of the application tells what the channel keeps. */
const UNKNOWN_SETTINGS: HistorySettings = { size: 1, ttl: 1 };

/**
 * Follows the publications of one channel with history on one instance, and makes sure that none is left out: each has to
 * follow the one before. Where one does not, what is missing is fetched from the history, and where that is not possible,
 * it is said.
 */
export class LiveChannel {
  private last: Position | undefined;
  /** What lies before them was not delivered here, or long ago. */
  private readonly passed = new RecentPositions();
  private settings = UNKNOWN_SETTINGS;
  /** Publications that came in during a fetch. */
  private held: LivePublication[] | undefined;
  private overflowed = false;
  /** Offsets and tags of what the last fetch brought: it may also still come in. */
  private readonly fetched = new Map<number, string>();
  private catchingUp: Promise<void> | undefined;
  private wanting = new Set<{ position: Position; resolve: () => void }>();
  /** Whether what was missed is still to be fetched. */
  stale = false;
  /** Whether a publication came in since this was set to false. */
  active = false;

  constructor(private readonly host: LiveChannelHost) {}

  onPublication(publication: LivePublication): void {
    this.active = true;
    if (this.held === undefined) {
      if (!this.accept(publication)) this.catchUpLater();
    } else if (this.held.length < MAX_HELD) {
      this.held.push(publication);
    } else {
      this.overflowed = true;
    }
  }

  /** Where it stands; undefined before the first publication or read. */
  get position(): Position | undefined {
    return this.last;
  }

  /** Frees what only a read that overlaps with publications needs. One that does is made again. */
  rest(): void {
    this.passed.trim();
  }

  /** Fetches what was missed, and waits for it. Several calls at the same time are one. */
  catchUp(): Promise<void> {
    if (this.last === undefined) return Promise.resolve();
    this.stale = true;
    this.catchingUp ??= this.run().finally(() => (this.catchingUp = undefined));
    return this.catchingUp;
  }

  /**
   * Waits until everything up to `position`, where a read has just seen the channel, has been delivered here.
   *
   * @param since where this channel stood when the read began
   * @returns false when the read cannot be joined with what is delivered from now on: it is too old, or of another life of
   * the channel (the way to Redis that it took is not the one that live publications come by)
   */
  async reach(position: Position, settings: HistorySettings, since?: Position): Promise<boolean> {
    this.settings = settings;
    if (since !== undefined && since.epoch === position.epoch && position.offset < since.offset) {
      // The history has lost what was delivered before: the reader would miss it, and get what may still come after it.
      await this.catchUp();
      return false;
    }
    if (this.last === undefined) {
      this.startAt(position);
      return true;
    }
    const passed = this.hasReached(position) ? this.passed.has(position) : await this.waitFor(position);
    if (passed) return true;
    await this.catchUp();
    return this.passed.has(position);
  }

  private startAt(position: Position): void {
    this.last = position;
    this.passed.restart(position);
  }

  private hasReached({ epoch, offset }: Position): boolean {
    return this.last !== undefined && this.last.epoch === epoch && this.last.offset >= offset;
  }

  /** @returns whether it was passed: as of the moment, since many more may follow before whoever waits gets to run */
  private waitFor(position: Position): Promise<boolean> {
    return new Promise((resolve) => {
      const want = { position, resolve: () => {
        clearTimeout(timer);
        this.wanting.delete(want);
        resolve(this.passed.has(position));
      } };
      const timer = setTimeout(want.resolve, UNDER_WAY);
      this.wanting.add(want);
    });
  }

  private catchUpLater(): void {
    // When it fails, the channel stays stale, and is caught up when Redis is back.
    this.catchUp().catch(() => undefined);
  }

  /** @returns false when something before it is missing */
  private accept(publication: LivePublication): boolean {
    const { last } = this;
    const { position, link } = publication;
    if (last === undefined || follows(publication, last) || (link !== undefined && isLinked(position, link, last))) {
      this.advance(publication);
      return true;
    }
    return this.fetched.get(position.offset) === position.tag || samePosition(position, last);
  }

  private advance(publication: LivePublication): void {
    this.last = publication.position;
    this.passed.add(publication.position);
    // What the fetch brought comes in before anything newer does.
    if (this.fetched.size > 0) this.fetched.clear();
    this.host.deliver(publication);
    if (this.wanting.size > 0) this.wakeWanting();
  }

  private wakeWanting(): void {
    for (const want of this.wanting) {
      if (this.hasReached(want.position)) want.resolve();
    }
  }

  private async run(): Promise<void> {
    while (this.stale) {
      this.stale = false;
      // What came in before the read is in what it reads.
      this.held = [];
      this.overflowed = false;
      try {
        this.apply(await this.host.readAfter(this.last!, this.settings));
        this.stale = this.stale || this.overflowed || !this.held.every((publication) => this.accept(publication));
      } catch (error) {
        this.stale = true;
        throw error;
      } finally {
        this.held = undefined;
      }
    }
  }

  private apply({ top, link, entries }: StoredChannel): void {
    const last = this.last!;
    this.fetched.clear();
    if (leadsTo(top, last, entries)) {
      for (const entry of entries) this.advance(entry);
      for (const { position } of entries) this.fetched.set(position.offset, position.tag);
    } else {
      this.startAt(top);
      if (link !== encodeCursor(last)) this.host.onContinuityLost(top);
    }
    if (this.wanting.size > 0) this.wakeWanting();
  }
}

/** Whether it is the first publication since the history was cleared, at a moment when nothing was missing here. */
function isLinked(position: Position, link: string, last: Position): boolean {
  return position.offset === 1 && link === encodeCursor(last);
}
