import { Batch } from './batch';

/** Something with frames to write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

interface Wave {
  readonly members: Flushable[];
  next: number;
}

/** From so many connections on, a fan-out is flushed as a wave of its own. */
export const LARGE_FAN_OUT = 512;
/** Longest stretch of the event loop that flushing takes before it lets others go first, in milliseconds. */
const SLICE_MS = 4;
/** Members flushed between two looks at the clock, and in one go before the next wave has its share. */
const CHUNK = 32;

/**
 * Flushes outboxes once a turn of the event loop, after all of its callbacks have queued what they had to say.
 *
 * Outboxes that got work in the same turn form a wave; a large fan-out is a wave by itself. Waves take turns in chunks,
 * so that a publication to twenty thousand connections does not hold up the reply to one, and no stretch is longer than
 * a few milliseconds.
 */
export class FlushScheduler {
  /** Where a batch of this turn begins. Anew each turn, so that no frame outlives its writes. */
  root = Batch.empty();

  private gathering: Flushable[] = [];
  private waves: Wave[] = [];
  private armed: NodeJS.Immediate | undefined;

  schedule(member: Flushable): void {
    this.gathering.push(member);
    this.arm();
  }

  /** What is scheduled from here on is a wave of its own: a large fan-out begins and ends with it. */
  splitWave(): void {
    if (this.gathering.length === 0) return;
    this.waves.push({ members: this.gathering, next: 0 });
    this.gathering = [];
  }

  /** Writes everything that waits, now and without slicing. For the end of a process. */
  flushAll(): void {
    this.startTurn();
    for (const wave of this.waves.splice(0)) this.flushChunk(wave, Infinity);
  }

  private arm(): void {
    this.armed ??= setImmediate(this.run);
  }

  private readonly run = (): void => {
    this.armed = undefined;
    this.startTurn();
    const deadline = performance.now() + SLICE_MS;
    // The clock is looked at after each chunk: with many waves, a round of all would take too long.
    do {
      this.flushNext();
    } while (this.waves.length > 0 && performance.now() < deadline);
    if (this.waves.length > 0) this.arm();
  };

  private startTurn(): void {
    this.splitWave();
    this.root = Batch.empty();
  }

  /** The wave whose turn it is has its share, and lines up again behind the others. */
  private flushNext(): void {
    const wave = this.waves.shift();
    if (wave !== undefined && this.flushChunk(wave, CHUNK)) this.waves.push(wave);
  }

  /** @returns whether the wave has members left */
  private flushChunk(wave: Wave, size: number): boolean {
    const end = Math.min(wave.next + size, wave.members.length);
    while (wave.next < end) wave.members[wave.next++]!.flush();
    return end < wave.members.length;
  }
}
