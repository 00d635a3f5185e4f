import * as fc from 'fast-check';
import { readEventId, StreamPositions, UNPROVABLE } from '../../../../lib/transports/sse/stream-positions';

const channelNames = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_.:-]{1,256}$/), { minLength: 1, maxLength: 20 });
const cursors = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_]{1,22}-[0-9]{1,15}-[A-Za-z0-9_]{1,12}$/), fc.constantFrom('1526919030474-55', UNPROVABLE, 'a,b%c'));

describe('the id of an event', () => {
  it('gives back the cursor of every channel, and nothing of any other', () => {
    fc.assert(
      fc.property(channelNames, fc.infiniteStream(cursors), (names, given) => {
        const positions = new StreamPositions(names);
        const expected = new Map(names.map((name) => [name, given.next().value]));
        for (const [name, cursor] of expected) positions.set(name, cursor);
        const { id } = positions;
        expect(id).toMatch(/^[!-~]+$/);
        const read = readEventId(id!);
        for (const [name, cursor] of expected) expect(read(name)).toBe(cursor);
        expect(read('another channel')).toBeUndefined();
      }),
    );
  });

  it('changes with every position', () => {
    const positions = new StreamPositions(['a', 'b']);
    expect(positions.id).toBeUndefined();
    positions.set('a', 'e-1-t');
    const first = positions.id;
    positions.set('b', 'e-1-u');
    positions.set('a', undefined);
    expect(positions.id).not.toBe(first);
    expect(readEventId(positions.id!)('a')).toBeUndefined();
    expect(readEventId(positions.id!)('b')).toBe('e-1-u');
  });

  it('keeps nothing of a channel that the stream was not opened with', () => {
    const positions = new StreamPositions(['a']);
    positions.set('b', 'e-1-t');
    expect(positions.get('b')).toBeUndefined();
    expect(positions.id).toBeUndefined();
  });

  it('reads anything at all without throwing, and finds nothing in it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        expect(readEventId(text)('room:lobby')).toBeUndefined();
      }),
    );
    expect(readEventId(',a'.repeat(100_000))('a')).toBeUndefined();
  });

  it('does not read what is longer than an id can be', () => {
    const positions = new StreamPositions(['a']);
    positions.set('a', 'e-1-t');
    expect(readEventId(`${positions.id!}${','.repeat(8192)}`)('a')).toBeUndefined();
  });

  it('takes an escape that cannot be undone for a cursor that proves nothing', () => {
    const positions = new StreamPositions(['a']);
    positions.set('a', 'e');
    expect(readEventId(positions.id!.replace(/e$/, '%E0%A4%A'))('a')).toBe(UNPROVABLE);
  });
});
