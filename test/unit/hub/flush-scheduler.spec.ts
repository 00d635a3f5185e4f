import { FlushScheduler, type Flushable } from '../../../lib/hub/flush-scheduler';

/** More than one look at the clock is worth. */
const SLICE_MS = 4;
const CHUNK = 32;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Members that write down when they were flushed. */
class Recorder {
  readonly flushed: string[] = [];

  members(name: string, count: number, work?: () => void): Flushable[] {
    return Array.from({ length: count }, (_, index) => ({
      flush: () => {
        work?.();
        this.flushed.push(`${name}${index}`);
      },
    }));
  }

  countOf(name: string): number {
    return this.flushed.filter((entry) => entry.startsWith(name)).length;
  }

  /** Waits until so many have been flushed. @returns how many were flushed in each turn of the event loop */
  async turns(total: number): Promise<number[]> {
    const turns: number[] = [];
    while (this.flushed.length < total) {
      const before = this.flushed.length;
      await nextTurn();
      turns.push(this.flushed.length - before);
    }
    return turns;
  }
}

function scheduleAll(scheduler: FlushScheduler, members: Flushable[]): void {
  for (const member of members) scheduler.schedule(member);
}

describe('FlushScheduler', () => {
  let scheduler: FlushScheduler;
  let recorder: Recorder;

  beforeEach(() => {
    scheduler = new FlushScheduler();
    recorder = new Recorder();
  });

  it('flushes nothing before the turn ends, and each member once after it', async () => {
    scheduleAll(scheduler, recorder.members('a', 3));
    await Promise.resolve();
    expect(recorder.flushed).toEqual([]);
    await nextTurn();
    expect(recorder.flushed).toEqual(['a0', 'a1', 'a2']);
    await nextTurn();
    expect(recorder.flushed).toHaveLength(3);
  });

  it('flushes a member once for each time it was scheduled', async () => {
    const [member] = recorder.members('a', 1) as [Flushable];
    scheduler.schedule(member);
    await nextTurn();
    scheduler.schedule(member);
    await nextTurn();
    expect(recorder.flushed).toEqual(['a0', 'a0']);
  });

  it('flushes what is scheduled while it flushes in the next turn', async () => {
    const [second] = recorder.members('b', 1) as [Flushable];
    scheduleAll(scheduler, recorder.members('a', 1, () => scheduler.schedule(second)));
    await nextTurn();
    await nextTurn();
    expect(recorder.flushed).toEqual(['a0', 'b0']);
  });

  it('loses no wave that is split off while it flushes', async () => {
    const split = (): void => {
      scheduleAll(scheduler, recorder.members('b', 2));
      scheduler.splitWave();
    };
    scheduleAll(scheduler, recorder.members('a', 1, split));
    await recorder.turns(3);
    expect(recorder.flushed).toEqual(['a0', 'b0', 'b1']);
  });

  it('begins the batches of each turn anew', async () => {
    const { root } = scheduler;
    scheduleAll(scheduler, recorder.members('a', 1));
    expect(scheduler.root).toBe(root);
    await nextTurn();
    expect(scheduler.root).not.toBe(root);
  });

  it('lets others go first when flushing takes long, and forgets nobody', async () => {
    scheduleAll(scheduler, recorder.members('a', 4 * CHUNK, () => burn(SLICE_MS / 16)));
    const turns = await recorder.turns(4 * CHUNK);
    expect(Math.max(...turns)).toBeLessThanOrEqual(CHUNK);
    expect(new Set(recorder.flushed).size).toBe(4 * CHUNK);
  });

  it('lets others go first also when there are many waves', async () => {
    for (let wave = 0; wave < 10; wave++) {
      scheduleAll(scheduler, recorder.members(`${wave}.`, CHUNK, () => burn(SLICE_MS / 16)));
      scheduler.splitWave();
    }
    const turns = await recorder.turns(10 * CHUNK);
    expect(Math.max(...turns)).toBeLessThanOrEqual(CHUNK);
  });

  it('does not let a large wave hold up a small one that comes later', async () => {
    scheduleAll(scheduler, recorder.members('large', 20 * CHUNK, () => burn(SLICE_MS / 16)));
    await nextTurn();
    const before = recorder.countOf('large');
    scheduleAll(scheduler, recorder.members('small', 1));
    while (recorder.countOf('small') === 0) await nextTurn();
    expect(recorder.countOf('large') - before).toBeLessThanOrEqual(2 * CHUNK);
    scheduler.flushAll();
  });

  it('lets a small wave of the same turn pass a large one', async () => {
    scheduleAll(scheduler, recorder.members('large', 10 * CHUNK));
    scheduler.splitWave();
    scheduleAll(scheduler, recorder.members('small', 1));
    await recorder.turns(10 * CHUNK + 1);
    expect(recorder.flushed.indexOf('small0')).toBe(CHUNK);
  });

  it('gives each wave its share', async () => {
    for (const name of ['a', 'b']) {
      scheduleAll(scheduler, recorder.members(name, 3 * CHUNK));
      scheduler.splitWave();
    }
    await recorder.turns(6 * CHUNK);
    const shares = Array.from({ length: 6 }, (_, share) => recorder.flushed[share * CHUNK]![0]);
    expect(shares).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('writes everything at once when asked to, and not again', async () => {
    scheduleAll(scheduler, recorder.members('a', 2 * CHUNK));
    scheduler.splitWave();
    scheduleAll(scheduler, recorder.members('b', 1));
    scheduler.flushAll();
    expect(recorder.flushed).toHaveLength(2 * CHUNK + 1);
    await nextTurn();
    expect(recorder.flushed).toHaveLength(2 * CHUNK + 1);
  });
});
