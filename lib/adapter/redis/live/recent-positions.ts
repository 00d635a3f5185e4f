import type { Position } from '../../../protocol/cursor';

/** Reads that are further behind what is live are repeated. */
const KEPT = 256;

/**
 * The latest positions that a channel has passed through without a gap. Numbers do not tell whether a read saw the same
 * life of the channel: after a fail-over that lost a tail they are given away again. Tags do.
 */
export class RecentPositions {
  private epoch = '';
  private newest = 0;
  private count = 0;
  /** Offset of the first of `tags`. */
  private base = 0;
  /** By offset from there, modulo how many are kept. */
  private readonly tags: string[] = [];

  /** What came before does not lead here. */
  restart(position: Position): void {
    this.epoch = position.epoch;
    this.count = 0;
    this.tags.length = 0;
    this.base = position.offset;
    this.put(position);
  }

  add(position: Position): void {
    if (position.epoch === this.epoch && position.offset === this.newest + 1) this.put(position);
    else this.restart(position);
  }

  /** Keeps the newest alone. */
  trim(): void {
    if (this.count > 1) this.restart({ epoch: this.epoch, offset: this.newest, tag: this.tags[(this.newest - this.base) % KEPT]! });
  }

  /** Whether it is known that the channel has passed through the position. */
  has({ epoch, offset, tag }: Position): boolean {
    const isKept = epoch === this.epoch && offset <= this.newest && offset > this.newest - this.count;
    return isKept && this.tags[(offset - this.base) % KEPT] === tag;
  }

  private put({ offset, tag }: Position): void {
    this.newest = offset;
    this.tags[(offset - this.base) % KEPT] = tag;
    if (this.count < KEPT) this.count++;
  }
}
