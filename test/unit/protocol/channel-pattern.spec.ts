import * as fc from 'fast-check';
import { ChannelPattern, ChannelPatternError } from '../../../lib/protocol/channel-pattern';
import { thrownBy } from '../../support/thrown-by';

const compile = (source: string): ChannelPattern => new ChannelPattern(source);

/** Literals out of few letters, so that patterns and names meet often. */
const literal = fc.stringMatching(/^[ab]{0,2}$/);
const segment = fc.oneof(literal, fc.tuple(literal, literal).map(([prefix, suffix]) => `${prefix}{*}${suffix}`));
/** Segments with numbered parameters, or a literal before a final `*`. */
const source = fc.oneof(
  { weight: 4, arbitrary: fc.array(segment, { minLength: 1, maxLength: 3 }).map(numberParams).filter((text) => text !== '') },
  { weight: 1, arbitrary: fc.stringMatching(/^[ab:]{0,4}$/).map((prefix) => `${prefix}*`) },
);
const channel = fc.stringMatching(/^[ab]{0,3}(:[ab]{0,3}){0,2}$/).filter((name) => name !== '');

/** A pattern that matches the name. */
function generalised(name: string): fc.Arbitrary<string> {
  const segments = name.split(':').map((part) =>
    fc.tuple(fc.nat(part.length), fc.nat(part.length)).map(([start, end]) => {
      return start < end ? `${part.slice(0, start)}{*}${part.slice(end)}` : part;
    }),
  );
  return fc.tuple(...segments).map(numberParams);
}

function numberParams(segments: string[]): string {
  return segments.map((text, index) => text.replace('{*}', `{p${index}}`)).join(':');
}

/** The same rules, as a regular expression. */
function modelMatch(pattern: string, name: string): Record<string, string> | undefined {
  if (pattern.endsWith('*')) {
    return name.startsWith(pattern.slice(0, -1)) && name.length >= pattern.length ? {} : undefined;
  }
  const expression = pattern.replace(/\{(\w+)\}/g, '(?<$1>[^:]+)');
  const match = new RegExp(`^${expression}$`).exec(name);
  return match ? { ...match.groups } : undefined;
}

describe('ChannelPattern', () => {
  describe('match', () => {
    it.each([
      ['room:lobby', 'room:lobby', {}],
      ['room:{name}', 'room:lobby', { name: 'lobby' }],
      ['room:{name}', 'room:a.b-c_d', { name: 'a.b-c_d' }],
      ['{tenant}:room:{name}', 'acme:room:lobby', { tenant: 'acme', name: 'lobby' }],
      ['user-{id}.inbox', 'user-7.inbox', { id: '7' }],
      ['ticker:*', 'ticker:eu:btc', {}],
      ['*', 'anything:at:all', {}],
      ['a::b', 'a::b', {}],
    ])('%s matches %s', (pattern, name, params) => {
      expect({ ...compile(pattern).match(name) }).toEqual(params);
    });

    it.each([
      ['room:lobby', 'room:lobby:1'],
      ['room:{name}', 'room'],
      ['room:{name}', 'room:'],
      ['room:{name}', 'room:a:b'],
      ['room:{name}', 'Room:a'],
      ['user-{id}.inbox', 'user-.inbox'],
      ['aa{x}aa', 'aaa'],
      ['ticker:*', 'ticker:'],
      ['ticker:*', 'ticker'],
    ])('%s does not match %s', (pattern, name) => {
      expect(compile(pattern).match(name)).toBeUndefined();
    });

    it('takes parameters and matches just as a regular expression would', () => {
      fc.assert(
        fc.property(source, channel, (pattern, name) => {
          const params = compile(pattern).match(name);
          expect(params && { ...params }).toEqual(modelMatch(pattern, name));
        }),
        { numRuns: 2000 },
      );
    });

    it('keeps a parameter that is called like a member of Object a plain value', () => {
      const params = compile('{__proto__}:{constructor}:{toString}').match('a:b:c')!;
      expect(Object.getPrototypeOf(params)).toBeNull();
      expect(Object.entries(params)).toEqual([
        ['__proto__', 'a'],
        ['constructor', 'b'],
        ['toString', 'c'],
      ]);
    });

    it('takes time proportional to the name, however much the name repeats', () => {
      const pattern = compile('a{x}a:a{y}a');
      const started = performance.now();
      expect(pattern.match(`${'a'.repeat(500_000)}:${'a'.repeat(499_999)}b`)).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(10_000);
    });
  });

  describe('refuses', () => {
    it.each([
      ['', 'is empty'],
      ['room:{name', 'without its "}"'],
      ['room:{}', 'no identifier'],
      ['room:{1}', 'no identifier'],
      ['room:{a b}', 'no identifier'],
      ['room:{a{b}}', 'no identifier'],
      ['room:{a}{b}', 'only literal text'],
      ['{a}:{a}', 'uses a parameter name twice'],
      ['room:*:x', 'only literal text'],
      ['{a}*', 'before its final "*"'],
      ['**', 'before its final "*"'],
      ['room lobby', 'only literal text'],
      ['room:}', 'only literal text'],
    ])('%j', (pattern, reason) => {
      const error = thrownBy(() => compile(pattern));
      expect(error).toBeInstanceOf(ChannelPatternError);
      expect(error).toMatchObject({ name: 'ChannelPatternError', pattern });
      expect((error as Error).message).toContain(reason);
      expect((error as Error).message).toContain('"room:{name}"');
    });

    it('any other text with that error alone', () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab{}*:]{0,8}$/)), (text) => {
          const error = thrownBy(() => compile(text));
          expect(error === undefined || error instanceof ChannelPatternError).toBe(true);
        }),
      );
    });
  });

  describe('shape', () => {
    it('is the same for patterns that differ in the names of their parameters alone', () => {
      expect(compile('room:{a}').shape).toBe(compile('room:{b}').shape);
      expect(compile('room:x{a}').shape).not.toBe(compile('room:{a}x').shape);
      expect(compile('room:*').shape).not.toBe(compile('room:{a}').shape);
    });
  });

  describe('compare', () => {
    const order = (a: string, b: string): number => Math.sign(ChannelPattern.compare(compile(a), compile(b)));

    it.each([
      ['room:lobby', 'room:{name}'],
      ['room:{name}', '{kind}:lobby'],
      ['room:x-{name}', 'room:{name}'],
      ['room:{name}', 'room:*'],
      ['{a}:{b}', 'room:*'],
      ['room:eu:*', 'room:*'],
      ['room:*', '*'],
    ])('puts %s before %s', (first, second) => {
      expect(order(first, second)).toBe(-1);
      expect(order(second, first)).toBe(1);
    });

    it('is a strict weak order', () => {
      fc.assert(
        fc.property(source, source, source, (a, b, c) => {
          expect(order(a, a)).toBe(0);
          expect(order(a, b)).toBe(-order(b, a) + 0);
          const [ab, bc, ac] = [order(a, b), order(b, c), order(a, c)];
          expect(ab <= 0 && bc <= 0 && ac > 0).toBe(false);
          expect(ab === 0 && bc === 0 && ac !== 0).toBe(false);
        }),
        { numRuns: 5000 },
      );
    });

    it('leaves no two different patterns equal that match the same name', () => {
      fc.assert(
        fc.property(channel.chain((name) => fc.tuple(generalised(name), generalised(name))), ([a, b]) => {
          const [first, second] = [compile(a), compile(b)];
          expect(ChannelPattern.compare(first, second) === 0).toBe(first.shape === second.shape);
        }),
        { numRuns: 1000 },
      );
    });
  });
});
