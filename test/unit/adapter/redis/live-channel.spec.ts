import { array, assert, asyncProperty, constant, nat, oneof, record } from 'fast-check';
import { LiveChannel, type LivePublication } from '../../../../lib/adapter/redis/live/live-channel';
import type { StoredChannel } from '../../../../lib/adapter/redis/history/stored-channel';
import { encodeCursor, type Position } from '../../../../lib/protocol/cursor';

const SETTINGS = { size: 8, ttl: 1000 };

/** A history that can lose its tail, be cleared and be trimmed, and a way from it that loses and repeats. */
class World {
  epoch = 0;
  entries: LivePublication[] = [];
  top: Position = { epoch: 'e0', offset: 0, tag: '' };
  link: string | undefined;
  tags = 0;
  lost: Position[] = [];
  delivered: LivePublication[] = [];
  /** What the instance is entitled to believe that it has seen, or was told that it has not. */
  readonly live = new LiveChannel({
    readAfter: async (position) => this.read(position),
    deliver: (publication) => void this.delivered.push(publication),
    onContinuityLost: (position) => void this.lost.push(position),
  });

  append(): LivePublication {
    const position = { epoch: this.top.epoch, offset: this.top.offset + 1, tag: `t${this.tags++}` };
    const publication = { position, previousTag: this.top.tag, payload: Buffer.from(position.tag), exclude: undefined, link: this.link };
    this.link = undefined;
    this.top = position;
    this.entries = [...this.entries, publication].slice(-SETTINGS.size);
    return publication;
  }

  clear(): void {
    this.link = this.top.offset === 0 && this.link ? this.link : encodeCursor(this.top);
    this.entries = [];
    this.top = { epoch: `e${++this.epoch}`, offset: 0, tag: '' };
  }

  /** A fail-over to a replica that lacks the last `count`. */
  rollBack(count: number): void {
    const kept = this.entries.slice(0, Math.max(0, this.entries.length - count));
    if (this.entries.length === 0) return;
    this.top = kept.at(-1)?.position ?? { ...this.top, offset: this.entries[0]!.position.offset - 1, tag: this.entries[0]!.previousTag };
    this.entries = kept;
  }

  private read({ epoch, offset }: Position): StoredChannel {
    const newer = this.entries.filter(({ position }) => position.offset > offset);
    const held = epoch === this.top.epoch && newer[0]?.position.offset === offset + 1;
    return { top: this.top, link: this.link, oldest: undefined, foreign: 0, entries: held ? newer.map((entry) => ({ ...entry })) : [] };
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('following a channel', () => {
  it('delivers what follows, and fetches what is missing, in order', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    const all = Array.from({ length: 6 }, () => world.append());
    for (const index of [0, 1, 4, 5]) world.live.onPublication(all[index]!);
    await settled();
    expect(world.delivered.map(({ position }) => position.offset)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(world.lost).toEqual([]);
  });

  it('drops what it has already delivered', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    const all = Array.from({ length: 4 }, () => world.append());
    world.live.onPublication(all[3]!);
    await settled();
    for (const publication of all) world.live.onPublication(publication);
    await settled();
    expect(world.delivered.map(({ position }) => position.offset)).toEqual([1, 2, 3, 4]);
  });

  it('waits with a read for what is still under way', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    const publication = world.append();
    const reached = world.live.reach(world.top, SETTINGS);
    world.live.onPublication(publication);
    expect(await reached).toBe(true);
    expect(world.delivered).toHaveLength(1);
  });

  it('takes a read that was reached, however many more came in the same moment', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    const first = world.append();
    const reached = world.live.reach(first.position, SETTINGS);
    world.live.onPublication(first);
    for (let i = 0; i < 1000; i++) world.live.onPublication(world.append());
    expect(await reached).toBe(true);
    expect(world.lost).toEqual([]);
  });

  it('asks for another read when following began after the first', async () => {
    const world = new World();
    const early = world.top;
    world.append();
    expect(await world.live.reach(world.top, SETTINGS)).toBe(true);
    expect(await world.live.reach(early, SETTINGS)).toBe(false);
  });

  it('does not join a read of the life after a fail-over with what still comes in of the life before', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    for (let i = 0; i < 5; i++) world.live.onPublication(world.append());
    const late = world.append();
    world.rollBack(4);
    const other = world.append();
    // Offsets alone would say that this has been delivered.
    const read = world.top;
    await world.live.reach(read, SETTINGS);
    expect(world.lost).toEqual([other.position]);
    world.live.onPublication(late);
    await settled();
    world.live.onPublication(world.append());
    await settled();
    expect(world.delivered.map(({ position }) => position.tag)).toEqual(['t0', 't1', 't2', 't3', 't4', 't7']);
  });

  it('does not join a read that is behind what had been delivered when it began: a fail-over has lost that', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    for (let i = 0; i < 5; i++) world.live.onPublication(world.append());
    const late = world.append();
    const since = world.live.position;
    world.rollBack(4);
    const kept = world.top;
    expect(kept.offset).toBe(2);
    expect(await world.live.reach(kept, SETTINGS, since)).toBe(false);
    expect(world.lost).toEqual([kept]);
    // On its way from the old master: it would follow what was delivered, and not what has been read.
    world.live.onPublication(late);
    await settled();
    expect(world.delivered).toHaveLength(5);
    expect(await world.live.reach(kept, SETTINGS, world.live.position)).toBe(true);
  });

  it('joins a read with what has been delivered since it began', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    world.live.onPublication(world.append());
    const since = world.live.position;
    const read = world.top;
    world.live.onPublication(world.append());
    expect(await world.live.reach(read, SETTINGS, since)).toBe(true);
    expect(world.lost).toEqual([]);
  });

  it('does not join a read of the life before a fail-over with what comes after it', async () => {
    const world = new World();
    await world.live.reach(world.top, SETTINGS);
    for (let i = 0; i < 5; i++) world.live.onPublication(world.append());
    const early = world.append();
    world.rollBack(3);
    await world.live.catchUp();
    for (let i = 0; i < 5; i++) world.live.onPublication(world.append());
    expect(await world.live.reach(early.position, SETTINGS)).toBe(false);
    expect(await world.live.reach(world.top, SETTINGS)).toBe(true);
  });

  it('stays stale when the history cannot be read, and catches up later', async () => {
    const world = new World();
    let away = true;
    const delivered: number[] = [];
    const live = new LiveChannel({
      readAfter: async () => {
        if (away) throw new Error('away');
        return { top: world.top, link: undefined, oldest: undefined, foreign: 0, entries: world.entries.map((entry) => ({ ...entry })) };
      },
      deliver: ({ position }) => void delivered.push(position.offset),
      onContinuityLost: () => delivered.push(-1),
    });
    await live.reach(world.top, SETTINGS);
    world.append();
    live.onPublication(world.append());
    await settled();
    expect([live.stale, delivered]).toEqual([true, []]);
    away = false;
    await live.catchUp();
    expect([live.stale, delivered]).toEqual([false, [1, 2]]);
  });

  it('never leaves out or repeats a publication without saying so, whatever gets lost on the way', async () => {
    const step = oneof(
      { weight: 8, arbitrary: record({ kind: constant('append' as const), lost: nat(3) }) },
      { weight: 1, arbitrary: record({ kind: constant('clear' as const) }) },
      { weight: 2, arbitrary: record({ kind: constant('rollBack' as const), count: nat(6) }) },
      { weight: 2, arbitrary: record({ kind: constant('repeat' as const), back: nat(10) }) },
      { weight: 2, arbitrary: record({ kind: constant('check' as const) }) },
      { weight: 3, arbitrary: record({ kind: constant('wait' as const) }) },
    );
    await assert(
      asyncProperty(array(step, { maxLength: 60 }), async (steps) => {
        const world = new World();
        await world.live.reach(world.top, SETTINGS);
        const sent: LivePublication[] = [];
        const lossesAt: number[] = [];
        for (const current of steps) {
          const losses = world.lost.length;
          if (current.kind === 'append') {
            const publication = world.append();
            // One in four gets lost.
            if (current.lost > 0) {
              sent.push(publication);
              world.live.onPublication(publication);
            }
          } else if (current.kind === 'clear') {
            world.clear();
          } else if (current.kind === 'rollBack') {
            world.rollBack(current.count);
            // The connection to the old master has gone, and with it whatever could come in twice.
            sent.length = 0;
          } else if (current.kind === 'repeat' && sent.length > 0) {
            world.live.onPublication(sent.at(-1 - (current.back % sent.length))!);
          } else if (current.kind === 'check') {
            await world.live.catchUp();
          }
          await settled();
          if (world.lost.length > losses) lossesAt.push(world.delivered.length);
        }
        await world.live.catchUp();
        // Each delivered publication follows the one before, or a loss has been told between them.
        const breaks = world.delivered.filter((publication, index) => {
          const before = world.delivered[index - 1];
          if (before === undefined || lossesAt.includes(index)) return false;
          const { position, previousTag, link } = publication;
          return !(previousTag === before.position.tag || (position.offset === 1 && link === encodeCursor(before.position)));
        });
        expect(breaks.filter(({ position }) => position.offset > 1)).toEqual([]);
        expect(new Set(world.delivered.map(({ position }) => position.tag)).size).toBe(world.delivered.length);
      }),
      { numRuns: 500 },
    );
  });
});
