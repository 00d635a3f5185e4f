import * as fc from 'fast-check';
import { freezeClaims } from '../../../lib/auth/claims';

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

describe('freezeClaims', () => {
  it('copies any JSON object to an equal one that is frozen at every level', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (source) => {
        const { ['__proto__']: _own, ...expected } = JSON.parse(JSON.stringify(source)) as Record<string, unknown>;
        const copy = freezeClaims(expected);
        expect(isDeepFrozen(copy)).toBe(true);
        expect(JSON.stringify(copy)).toBe(JSON.stringify(withoutProto(expected)));
      }),
      { numRuns: 200 },
    );
  });

  it('is not changed by later changes of its source', () => {
    const roles = ['reader'];
    const claims = freezeClaims({ roles });
    roles.push('admin');
    expect(claims).toEqual({ roles: ['reader'] });
  });

  it('leaves its source as it was', () => {
    const source = { nested: { list: [1] } };
    freezeClaims(source);
    expect([Object.isFrozen(source), Object.isFrozen(source.nested), Object.isFrozen(source.nested.list)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('takes what JSON would: dates as text, no functions, no symbols, nothing undefined', () => {
    const claims = freezeClaims({ at: new Date(0), call: () => 1, mark: Symbol('m'), nothing: undefined, big: 1n });
    expect(claims).toStrictEqual({ at: '1970-01-01T00:00:00.000Z', big: 1n });
  });

  it('keeps a circular reference', () => {
    const source: Record<string, unknown> = { name: 'alice' };
    source['self'] = source;
    const claims = freezeClaims(source);
    expect(claims['self']).toBe(claims);
  });

  it('does not let a __proto__ key replace the prototype', () => {
    const claims = freezeClaims(JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":{"admin":true}}}') as object);
    expect(claims['admin']).toBeUndefined();
    expect((claims['a'] as Record<string, unknown>)['admin']).toBeUndefined();
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
  });

  it('refuses claims nested deeper than 64 levels, and does not run out of stack', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) as object;
    expect(() => freezeClaims(deep)).toThrow('64 levels');
  });

  it('refuses more than 10,000 objects', () => {
    expect(() => freezeClaims({ list: Array.from({ length: 10_000 }, () => ({})) })).toThrow('10000 objects');
  });

  it('refuses a list as claims', () => {
    expect(() => freezeClaims(['admin'])).toThrow(TypeError);
  });
});

function withoutProto(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProto);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '__proto__')
      .map(([name, item]) => [name, withoutProto(item)]),
  );
}
