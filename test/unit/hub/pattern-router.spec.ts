import * as fc from 'fast-check';
import { DuplicatePatternError, PatternRouter } from '../../../lib/hub/pattern-router';
import { ChannelPattern, ChannelPatternError } from '../../../lib/protocol/channel-pattern';
import { thrownBy } from '../../support/thrown-by';

const literal = fc.constantFrom('a', 'b', 'ab');
const segment = fc.oneof(literal, fc.constantFrom('{*}', 'a{*}', '{*}b', 'a{*}b'));
const pattern = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((segments) => segments.map((text, index) => text.replace('{*}', `{p${index}}`)).join(':')),
  },
  { weight: 1, arbitrary: fc.constantFrom('*', 'a*', 'a:*', 'ab*', 'a:b*') },
);
const channel = fc.stringMatching(/^[ab]{1,3}(:[ab]{1,3}){0,2}$/);

/** How specific a pattern is, to be compared from the left: a parameter counts its literal letters, a literal is above all. */
function specificity(source: string): number[] {
  if (source.endsWith('*')) return [0, source.length];
  const segments = source.split(':').flatMap((text) => {
    const open = text.indexOf('{');
    return open === -1 ? [1000, 0] : [text.replace(/\{.*\}/, '').length, open];
  });
  return [1, ...segments];
}

function isMoreSpecific(a: string, b: string): boolean {
  const [left, right] = [specificity(a), specificity(b)];
  const index = left.findIndex((weight, i) => weight !== right[i]);
  return index !== -1 && left[index]! > (right[index] ?? -1);
}

describe('PatternRouter', () => {
  it('finds the most specific of all patterns that match, in whatever order they were added', () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 12 }), channel, (sources, name) => {
        const router = new PatternRouter<string>('test');
        for (const source of sources) router.add(source, source);
        const matching = sources.filter((source) => new ChannelPattern(source).match(name) !== undefined);
        const best = matching.find((source) => matching.every((other) => other === source || isMoreSpecific(source, other)));
        expect(router.find(name)?.value).toBe(best);
      }),
      { numRuns: 2000 },
    );
  });

  it('puts a literal first although patterns of other lengths stand between', () => {
    const router = new PatternRouter<string>('test');
    for (const source of ['a:{x}', 'a', 'a:b']) router.add(source, source);
    expect(router.find('a:b')?.value).toBe('a:b');
  });

  it('gives the parameters with the value', () => {
    const router = new PatternRouter<number>('test');
    router.add('{tenant}:room:{name}', 1);
    const match = router.find('acme:room:lobby')!;
    expect(match.value).toBe(1);
    expect({ ...match.params }).toEqual({ tenant: 'acme', name: 'lobby' });
  });

  it('finds nothing where nothing matches', () => {
    const router = new PatternRouter<number>('test');
    expect(router.find('a')).toBeUndefined();
    router.add('a:{b}', 1);
    expect(router.find('b:a')).toBeUndefined();
  });

  it('finds values that are no truth', () => {
    const router = new PatternRouter<number>('test');
    router.add('a', 0);
    expect(router.find('a')).toMatchObject({ value: 0 });
  });

  it.each([
    ['room:{a}', 'room:{b}'],
    ['room:*', 'room:*'],
    ['room', 'room'],
  ])('refuses %s beside %s: they match the same', (existing, added) => {
    const router = new PatternRouter<number>('@OnSubscribe');
    router.add(existing, 1);
    const error = thrownBy(() => router.add(added, 2));
    expect(error).toBeInstanceOf(DuplicatePatternError);
    expect(error).toMatchObject({ pattern: added, existing, what: '@OnSubscribe' });
    expect((error as Error).message).toContain('@OnSubscribe');
    expect(router.find(added.replace(/\{.\}|\*/, 'x'))?.value).toBe(1);
  });

  it('refuses what is no pattern', () => {
    expect(() => new PatternRouter<number>('test').add('room:{', 1)).toThrow(ChannelPatternError);
  });

  it('lists its patterns, the most specific first', () => {
    const router = new PatternRouter<number>('test');
    for (const source of ['*', 'room:{name}', 'room:lobby']) router.add(source, 1);
    expect(router.patterns).toEqual(['room:lobby', 'room:{name}', '*']);
  });
});
