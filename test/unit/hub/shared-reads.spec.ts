import * as fc from 'fast-check';
import type { HistorySettings, HubAdapter, ReadBounds, ReadRequest, ReadResult } from '../../../lib/adapter/hub-adapter';
import { SharedReads } from '../../../lib/hub/shared-reads';
import type { Position } from '../../../lib/protocol/cursor';
import { GatedAdapter } from './gated-adapter';
import { createMemoryAdapter, settle } from './hub-kit';

const CHANNEL = 'a';
const BOUNDS = { maxPublications: 1000, maxBytes: 1_000_000 };
const payload = Buffer.from('{"type":"m"}');

/** A stream that feeds many channels: its positions are those of all entries, and some of these are the channel's. */
class SparseStream {
  readonly positions: Position[];

  constructor(
    private readonly own: readonly boolean[],
    private readonly trimmed: number,
  ) {
    this.positions = own.map((_, index) => ({ epoch: 'e', offset: 1000 + 7 * (index >> 1), minor: index % 2, tag: `t${index}` }));
  }

  async read(_: string, { after, bounds }: ReadRequest): Promise<ReadResult> {
    await settle();
    return this.readNow(after!, bounds!);
  }

  readNow(after: Position, { maxPublications }: ReadBounds): ReadResult {
    const index = this.positions.findIndex(({ tag }) => tag === after.tag);
    const publications = this.positions.flatMap((position, i) => (i > index && this.own[i] ? [{ position, payload }] : []));
    const recovered = index >= this.trimmed && publications.length <= maxPublications;
    return { recovered, publications: recovered ? publications : [], position: this.positions.at(-1)!, sparse: true };
  }
}

async function fill(gate: GatedAdapter, count: number, history: HistorySettings): Promise<Position[]> {
  const positions = [(await gate.adapter.read(CHANNEL, { last: 0 }, history)).position];
  for (let i = 0; i < count; i++) positions.push((await gate.adapter.append({ channel: CHANNEL, payload }, history)).position);
  return positions;
}

describe('SharedReads', () => {
  const history: HistorySettings = { size: 100, ttl: 60_000 };

  it('serves all who ask during a read with the one after it, each from its own position', async () => {
    const gate = new GatedAdapter();
    const positions = await fill(gate, 20, history);
    const reads = new SharedReads(gate.adapter, BOUNDS);
    gate.closed = true;
    const joins = Array.from({ length: 500 }, (_, i) => reads.read(CHANNEL, { after: positions[i % 21]! }, history));
    expect(gate.waitingAnswers).toBe(1);
    while (gate.letAllThrough()) await settle();
    for (const [i, read] of (await Promise.all(joins)).entries()) {
      expect(read.recovered).toBe(true);
      expect(read.publications.map(({ position }) => position)).toEqual(positions.slice((i % 21) + 1));
    }
    expect(reads.figures).toEqual({ asked: 500, read: 2 });
  });

  it('never serves anybody from a read that had begun before', async () => {
    const gate = new GatedAdapter();
    const [start] = await fill(gate, 0, history);
    const reads = new SharedReads(gate.adapter, BOUNDS);
    gate.closed = true;
    const early = reads.read(CHANNEL, { after: start! }, history);
    void gate.adapter.append({ channel: CHANNEL, payload }, history);
    const late = reads.read(CHANNEL, { after: start! }, history);
    while (gate.letAllThrough()) await settle();
    expect((await early).publications).toHaveLength(0);
    expect((await late).publications).toHaveLength(1);
  });

  it('encodes a publication once for all', async () => {
    const gate = new GatedAdapter();
    const positions = await fill(gate, 3, history);
    const reads = new SharedReads(gate.adapter, BOUNDS);
    const [, one, two] = await Promise.all([0, 0, 1].map((i) => reads.read(CHANNEL, { after: positions[i]! }, history)));
    const origin = { channel: CHANNEL, policy: 'disconnect' as const };
    expect(one!.publications[1]!.toFrame(origin)).toBe(two!.publications[0]!.toFrame(origin));
  });

  it('fails those of one read, and goes on', async () => {
    const gate = new GatedAdapter();
    const positions = await fill(gate, 3, history);
    const reads = new SharedReads(gate.adapter, BOUNDS);
    gate.failing.add('read');
    const failed = await Promise.allSettled([1, 2, 3].map((i) => reads.read(CHANNEL, { after: positions[i]! }, history)));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    gate.failing.clear();
    expect(await reads.read(CHANNEL, { after: positions[1]! }, history)).toMatchObject({ recovered: true });
  });

  it('reads a bounded number of channels at a time', async () => {
    const gate = new GatedAdapter();
    const reads = new SharedReads(gate.adapter, BOUNDS);
    gate.closed = true;
    const joins = Array.from({ length: 100 }, (_, i) => reads.read(`channel:${i}`, { last: 1 }, history));
    const underWay: number[] = [];
    for (let waiting = gate.waitingAnswers; waiting > 0; waiting = gate.waitingAnswers) {
      underWay.push(waiting);
      gate.letAllThrough();
      await settle();
    }
    expect(await Promise.all(joins)).toHaveLength(100);
    expect(Math.max(...underWay)).toBe(16);
  });

  it('gives everybody what a read of his own would, whatever the cursors and bounds are', async () => {
    const cursor = fc.record({ offset: fc.nat(14), tag: fc.constantFrom('own', 'own', 'own', 'other'), epoch: fc.constantFrom('own', 'own', 'other') });
    const bounds = fc.record({ maxPublications: fc.integer({ min: 1, max: 8 }), maxBytes: fc.integer({ min: 1, max: 8 * payload.length }) });
    await fc.assert(
      fc.asyncProperty(fc.array(cursor, { minLength: 1, maxLength: 12 }), bounds, fc.integer({ min: 1, max: 10 }), async (cursors, limits, size) => {
        const gate = new GatedAdapter();
        const settings = { size, ttl: 60_000 };
        const positions = await fill(gate, 12, settings);
        const reads = new SharedReads(gate.adapter, limits);
        const afters = cursors.map(({ offset, tag, epoch }) => {
          const own = positions[offset] ?? { ...positions[12]!, offset };
          return { offset, tag: tag === 'own' ? own.tag : tag, epoch: epoch === 'own' ? own.epoch : epoch };
        });
        const shared = await Promise.all(afters.map((after) => reads.read(CHANNEL, { after }, settings)));
        const alone = await Promise.all(afters.map((after) => gate.adapter.read(CHANNEL, { after, bounds: limits }, settings)));
        const shape = (each: { recovered: boolean; position: Position; publications: readonly { position: Position }[] }): unknown => [
          each.recovered, each.position, each.publications.map(({ position }) => position),
        ];
        expect(shared.map(shape)).toEqual(alone.map(shape));
      }),
      { numRuns: 300 },
    );
  });

  it('gives everybody what a read of his own would where offsets leave numbers out, with many cursors in one group', async () => {
    const at = fc.record({ trimmed: fc.nat(6), cursors: fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }), bound: fc.integer({ min: 1, max: 12 }) });
    const isOfChannel = fc.array(fc.boolean(), { minLength: 21, maxLength: 21 });
    await fc.assert(
      fc.asyncProperty(at, isOfChannel, async ({ trimmed, cursors, bound }, own) => {
        const limits = { maxPublications: bound, maxBytes: 1_000_000 };
        const stream = new SparseStream(own, trimmed);
        const reads = new SharedReads(stream as unknown as HubAdapter, limits);
        const afters = cursors.map((index) => stream.positions[index]!);
        const shared = await Promise.all(afters.map((after) => reads.read(CHANNEL, { after }, history)));
        for (const [index, read] of shared.entries()) {
          const alone = stream.readNow(afters[index]!, limits);
          expect([read.recovered, read.publications.map(({ position }) => position)]).toEqual([
            alone.recovered, alone.publications.map(({ position }) => position),
          ]);
          expect(read.position).toEqual(alone.position);
          read.letGo();
        }
        await settle();
        // One for the first, and one for each cursor of the others that nothing proves, and the one that is.
        expect(reads.figures.read).toBeLessThanOrEqual(2 + new Set(cursors).size);
        expect(reads.bytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('serves any number of cursors of a stream that holds them all with two reads', async () => {
    const stream = new SparseStream(Array.from({ length: 200 }, (_, index) => index % 3 === 0), 0);
    const reads = new SharedReads(stream as unknown as HubAdapter, BOUNDS);
    const joins = await Promise.all(Array.from({ length: 1000 }, (_, index) => reads.read(CHANNEL, { after: stream.positions[index % 200]! }, history)));
    expect(joins.every(({ recovered }) => recovered)).toBe(true);
    expect(reads.figures).toEqual({ asked: 1000, read: 2 });
  });

  it('replays the newest that are within the bounds', async () => {
    const adapter = createMemoryAdapter();
    for (let i = 0; i < 10; i++) await adapter.append({ channel: CHANNEL, payload }, history);
    const reads = new SharedReads(adapter, { maxPublications: 5, maxBytes: 3 * payload.length });
    const offsets = async (last: number): Promise<number[]> =>
      (await reads.read(CHANNEL, { last }, history)).publications.map(({ position }) => position.offset);
    expect(await Promise.all([0, 2, 3, 9].map(offsets))).toEqual([[], [9, 10], [8, 9, 10], [8, 9, 10]]);
  });
});
