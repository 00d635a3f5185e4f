import * as fc from 'fast-check';
import { isNestedTooDeep, MAX_NESTING } from '../../../lib/protocol/nesting';

const nested = (depth: number, inner = ''): string => '['.repeat(depth) + inner + ']'.repeat(depth);

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the nesting of JSON', () => {
  it('is bounded', () => {
    expect(isNestedTooDeep(nested(MAX_NESTING))).toBe(false);
    expect(isNestedTooDeep(nested(MAX_NESTING + 1))).toBe(true);
    expect(isNestedTooDeep(`${'{"a":'.repeat(MAX_NESTING + 1)}0${'}'.repeat(MAX_NESTING + 1)}`)).toBe(true);
    expect(isNestedTooDeep('['.repeat(50_000))).toBe(true);
  });

  it.each([
    ['in a string', JSON.stringify('['.repeat(5000))],
    ['behind a quote in a string', JSON.stringify(`"${'['.repeat(5000)}`)],
    ['behind a backslash at the end of a string', `["\\\\",${JSON.stringify('{'.repeat(5000))}]`],
    ['side by side', `[${'[],'.repeat(5000)}0]`],
    ['in a string without end', `"${'['.repeat(5000)}`],
  ])('is not what brackets %s make', (_, json) => {
    expect(isNestedTooDeep(json)).toBe(false);
  });

  it('is counted as it is, whatever else the JSON holds', () => {
    const depth = fc.integer({ min: MAX_NESTING - 30, max: MAX_NESTING + 5 });
    fc.assert(
      fc.property(depth, fc.json({ maxDepth: 30 }), (outer, inner) => {
        const json = nested(outer, inner);
        expect(isNestedTooDeep(json)).toBe(outer + depthOf(JSON.parse(inner)) > MAX_NESTING);
      }),
    );
  });
});
