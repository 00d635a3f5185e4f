import * as fc from 'fast-check';
import { Backoff } from '../../../lib/client/backoff';

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 100_000 }))
  .map(([minDelay, more]) => ({ minDelay, maxDelay: minDelay + more }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a backoff', () => {
  it('stays between its bounds for any number of attempts', () => {
    fc.assert(
      fc.property(bounds, fc.array(random, { minLength: 1, maxLength: 2000 }), (limits, randoms) => {
        const backoff = new Backoff(limits, { random: () => randoms.shift()! });
        while (randoms.length > 0) {
          const delay = backoff.next();
          expect(delay).toBeGreaterThanOrEqual(limits.minDelay);
          expect(delay).toBeLessThanOrEqual(limits.maxDelay);
        }
      }),
    );
  });

  it('spreads each delay over the whole of its window, the first one too', () => {
    const delays = (value: number): number[] => {
      const backoff = new Backoff({ minDelay: 1000, maxDelay: 30_000 }, { random: () => value });
      return Array.from({ length: 6 }, () => backoff.next());
    };
    expect(delays(0)).toEqual([1000, 1000, 1000, 1000, 1000, 1000]);
    expect(delays(0.5)).toEqual([1500, 2500, 4500, 8500, 15_500, 15_500]);
    expect(delays(1 - Number.EPSILON)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff({ minDelay: 100, maxDelay: 10_000 }, { random: () => 0.999 });
    for (let i = 0; i < 5; i++) backoff.next();
    backoff.restart();
    expect(backoff.next()).toBe(200);
  });
});
