import * as fc from 'fast-check';
import { RateLimiter, type RateVerdict } from '../../../lib/channels/rate-limiter';

/** Verdicts on messages that come every `gap` ms. */
function run(limiter: RateLimiter, { from = 0, count, gap }: { from?: number; count: number; gap: number }): RateVerdict[] {
  return Array.from({ length: count }, (_, index) => limiter.take(from + index * gap));
}

const countOf = (verdicts: RateVerdict[], verdict: RateVerdict): number => verdicts.filter((other) => other === verdict).length;

describe('RateLimiter', () => {
  it.each([1, 5, 100])('lets %d messages pass at once, and not one more', (perSecond) => {
    const verdicts = run(new RateLimiter(perSecond, 0), { count: perSecond + 1, gap: 0 });
    expect(countOf(verdicts, 'pass')).toBe(perSecond);
    expect(verdicts.at(-1)).toBe('refuse');
  });

  it.each([1, 5, 100])('lets %d messages a second pass for ever', (perSecond) => {
    const verdicts = run(new RateLimiter(perSecond, 0), { count: 1000, gap: 1000 / perSecond + 0.001 });
    expect(verdicts.every((verdict) => verdict === 'pass')).toBe(true);
  });

  it('never lets more pass than the rate and one burst', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(500), { maxLength: 200 }), (perSecond, gaps) => {
        const limiter = new RateLimiter(perSecond, 0);
        let now = 0;
        let passed = 0;
        for (const gap of gaps) {
          now += gap;
          if (limiter.take(now) === 'pass') passed++;
        }
        expect(passed).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 1e-6);
      }),
    );
  });

  it.each([1, 2, 5, 100])('sends away who goes on at four times the rate of %d', (perSecond) => {
    const verdicts = run(new RateLimiter(perSecond, 0), { count: 400 * perSecond, gap: 250 / perSecond });
    expect(verdicts).toContain('disconnect');
    expect(verdicts.indexOf('disconnect')).toBeGreaterThan(2 * perSecond);
  });

  it.each([1, 2, 5, 100])('does not hold a burst now and then against a client, with a rate of %d', (perSecond) => {
    const limiter = new RateLimiter(perSecond, 0);
    for (let minute = 0; minute < 100; minute++) {
      const verdicts = run(limiter, { from: minute * 60_000, count: perSecond + 2, gap: 0 });
      expect([countOf(verdicts, 'pass'), countOf(verdicts, 'refuse')]).toEqual([perSecond, 2]);
    }
  });

  it('goes on saying so to who was sent away', () => {
    const limiter = new RateLimiter(1, 0);
    const verdicts = run(limiter, { count: 50, gap: 0 });
    expect(new Set(verdicts.slice(verdicts.indexOf('disconnect')))).toEqual(new Set(['disconnect']));
  });
});
