import * as fc from 'fast-check';
import { decodeCursor, encodeCursor, type Position } from '../../../lib/protocol/cursor';

const position: fc.Arbitrary<Position> = fc.record({
  epoch: fc.stringMatching(/^[A-Za-z0-9_]{1,32}$/),
  offset: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  minor: fc.integer({ min: 1, max: 999_999_999_999_999 }),
  tag: fc.stringMatching(/^[A-Za-z0-9_]{0,32}$/),
}, { requiredKeys: ['epoch', 'offset', 'tag'] });

describe('cursor', () => {
  it('brings any position back as it was', () => {
    fc.assert(
      fc.property(position, (original) => {
        expect(decodeCursor(encodeCursor(original))).toEqual(original);
      }),
    );
  });

  it('needs no escape in JSON or in a header line', () => {
    fc.assert(
      fc.property(position, (original) => {
        expect(encodeCursor(original)).toMatch(/^[A-Za-z0-9_.-]+$/);
      }),
    );
  });

  it.each([
    '', '-', '--', 'e', 'e-1', 'e-1-t-x', '-1-t', 'e--t', 'e-x-t', 'e-1.05-t',
    'e-1.0-t',
    'e-1.-t', 'e-+1-t', 'e-1e3-t', 'e- 1-t', 'e-01-t', 'e-00-',
    'e-1234567890123456-t', 'é-1-t', 'e-1-t\n', 'e-1-t"', 'e-١-t', `${'e'.repeat(130)}-1-t`,
  ])('knows %j as none of its own', (cursor) => {
    expect(decodeCursor(cursor)).toBeUndefined();
  });

  it.each([undefined, null, 1, {}, ['e', '1', 't'], { epoch: 'e', offset: 1, tag: 't' }])('takes no cursor that is no text: %j', (cursor) => {
    expect(decodeCursor(cursor)).toBeUndefined();
  });

  it('accepts only text that it would have written itself', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9_]{0,3}-[0-9]{0,3}-[a-z0-9_]{0,3}$/));
    fc.assert(
      fc.property(text, (cursor) => {
        const decoded = decodeCursor(cursor);
        expect(decoded === undefined || encodeCursor(decoded) === cursor).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
