import * as fc from 'fast-check';
import { inflateRawSync } from 'node:zlib';
import { Batch } from '../../../lib/hub/batch';
import { Frame } from '../../../lib/hub/frame';

const frames = Array.from({ length: 4 }, (_, index) => Frame.fromText(JSON.stringify({ type: `frame ${index}`, pad: 'x'.repeat(index * 60) })));
const sequence = fc.array(fc.nat(frames.length - 1), { minLength: 1, maxLength: 12 });

function grow(root: Batch, indices: readonly number[]): Batch {
  return indices.reduce((batch, index) => batch.append(frames[index]!), root);
}

describe('Batch', () => {
  it('joins its frames to the bytes of all, oldest first', () => {
    fc.assert(
      fc.property(sequence, (indices) => {
        const batch = grow(Batch.empty(), indices);
        const expected = indices.map((index) => frames[index]!);
        expect(batch.frames()).toEqual(expected);
        expect(batch.count).toBe(expected.length);
        expect(batch.join().equals(Buffer.concat(expected.map(({ bytes }) => bytes)))).toBe(true);
        expect(batch.bytes).toBe(batch.join().length);
      }),
    );
  });

  it('joins the bytes of a sequence once for all connections that were given it in a fan-out', () => {
    fc.assert(
      fc.property(sequence, fc.integer({ min: 2, max: 6 }), (indices, connections) => {
        const root = Batch.empty();
        let batches = Array.from({ length: connections }, () => root);
        // A fan-out gives one frame to all before the next.
        for (const index of indices) batches = batches.map((batch) => batch.append(frames[index]!));
        expect(new Set(batches).size).toBe(1);
        expect(new Set(batches.map((batch) => batch.join())).size).toBe(1);
      }),
    );
  });

  it('keeps apart what is not the same sequence, whatever was shared before', () => {
    fc.assert(
      fc.property(fc.array(sequence, { minLength: 2, maxLength: 5 }), (sequences) => {
        const root = Batch.empty();
        const batches = sequences.map((indices) => grow(root, indices));
        for (const [i, batch] of batches.entries()) {
          expect(batch.join().equals(Buffer.concat(sequences[i]!.map((index) => frames[index]!.bytes)))).toBe(true);
        }
      }),
    );
  });

  it('copies nothing for a single frame', () => {
    expect(grow(Batch.empty(), [1]).join()).toBe(frames[1]!.bytes);
  });

  it('does not change a shorter sequence when it goes on', () => {
    const root = Batch.empty();
    const short = grow(root, [0, 1]);
    const bytes = Buffer.from(short.join());
    const long = short.append(frames[2]!);
    expect(short.join().equals(bytes)).toBe(true);
    expect([root.count, short.count, long.count]).toEqual([0, 2, 3]);
  });

  it('joins compressed frames once too, beside the plain ones', () => {
    const compression = { threshold: 100 };
    const batch = grow(Batch.empty(), [0, 3]);
    const joined = batch.join(compression);
    expect(batch.join(compression)).toBe(joined);
    expect(joined).not.toBe(batch.join());

    const plain = frames[0]!.bytes;
    expect(joined.subarray(0, plain.length).equals(plain)).toBe(true);
    const compressed = joined.subarray(plain.length);
    expect(compressed[0]).toBe(0xc1);
    const payload = Buffer.concat([compressed.subarray(2), Buffer.from([0, 0, 0xff, 0xff])]);
    expect(inflateRawSync(payload, { finishFlush: 2 }).toString()).toBe(frames[3]!.text);
  });
});
