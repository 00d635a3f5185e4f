import * as fc from 'fast-check';
import { comparePositions, decodeCursor, encodeCursor } from '../../../../lib/protocol/cursor';
import { EntryPlace, epochOf, idAt, parseEntries, parseXread } from '../../../../lib/sources/redis-stream/stream-entry';

const id = fc.tuple(fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.integer({ min: 0, max: 900_000_000_000 }));
const place = fc.record({ id, index: fc.integer({ min: 0, max: 1023 }) });
const entry = [Buffer.from('5-1'), [Buffer.from('n'), Buffer.from('1')]];

describe('the place of an entry in a stream', () => {
  it('keeps the order of the entries, and of the publications of one, through a cursor', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const [first, second] = [a, b].map((each) => decodeCursor(encodeCursor(EntryPlace.of('s1', each.id.join('-'), 't')!.at(each.index)))!);
        const expected = a.id[0] - b.id[0] || a.id[1] - b.id[1] || a.index - b.index;
        expect(Math.sign(comparePositions(first!, second!))).toBe(Math.sign(expected));
        expect(idAt(first!)).toBe(a.id.join('-'));
      }),
    );
  });

  it('is none for an id that a cursor cannot hold', () => {
    expect(EntryPlace.of('s1', '18446744073709551615-1')).toBeUndefined();
    expect(EntryPlace.of('s1', '1-18446744073709551615')).toBeUndefined();
  });

  it('has a name for its stream that a cursor can carry', () => {
    expect(decodeCursor(`${epochOf('any: key')}-1-`)).toBeDefined();
    expect(epochOf('a')).not.toBe(epochOf('b'));
  });
});

describe('an answer of Redis', () => {
  it('is read alike from RESP2 and RESP3, and when nothing came', () => {
    const [expected] = parseEntries([entry]);
    expect(expected).toMatchObject({ id: '5-1', fields: { n: '1' } });
    expect(parseXread([[Buffer.from('key'), [entry]]])).toEqual([expected]);
    expect(parseXread([Buffer.from('key'), [entry]])).toEqual([expected]);
    expect(parseXread(null)).toEqual([]);
  });

  it('gives entries of other content another tag', () => {
    const other = [Buffer.from('5-1'), [Buffer.from('n'), Buffer.from('2')]];
    const [a, b] = parseEntries([entry, other]);
    expect(a?.tag).not.toBe(b?.tag);
  });
});
