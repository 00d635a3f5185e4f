import { OptionsReader, RealtimeOptionsError } from '../../../lib/realtime.options-reader';
import { thrownBy } from '../../support/thrown-by';

function messageFor(value: unknown): string {
  return (thrownBy(() => new OptionsReader('group', { size: value }, ['size']).count('size', 1)) as Error).message;
}

describe('OptionsReader', () => {
  it('reads fields that a class has from its prototype', () => {
    class Options {
      get size(): number {
        return 7;
      }
    }
    expect(new OptionsReader('group', new Options(), ['size']).count('size', 1)).toBe(7);
  });

  it('finds nothing in what every object has', () => {
    const reader = new OptionsReader('group', {}, ['constructor', 'toString']);
    expect(reader.has('size')).toBe(false);
  });

  it('names an option of the top level by its own name alone', () => {
    expect(thrownBy(() => new OptionsReader('', { x: 1 }, ['y']))).toMatchObject({ option: 'x', allowed: 'no such option; there are y' });
    expect(thrownBy(() => new OptionsReader('', 5, ['y']))).toMatchObject({ option: 'options', value: 5 });
  });

  it.each([
    ['text', '"text"'],
    [Number.NaN, 'NaN'],
    [1.5, '1.5'],
    [[1, Number.NaN], '[1, NaN]'],
    [{ a: 1 }, '{"a":1}'],
    [() => 1, 'a function'],
    [parseInt, 'the function parseInt'],
    [5n, '5'],
    [Symbol('s'), 'Symbol(s)'],
    ['x'.repeat(1000), `"${'x'.repeat(99)}`],
  ])('shows %p as %s', (value, shown) => {
    expect(messageFor(value)).toBe(`RealtimeModule: the option "group.size" is ${shown}; allowed: a whole number.`);
  });

  it('stands a value that cannot be shown', () => {
    const list: unknown[] = [];
    list.push(list);
    for (const value of [list, Object.assign(Object.create(null) as object, { big: 1n })]) {
      expect(messageFor(value)).toContain('allowed: a whole number');
    }
  });

  it('is told of errors by their class', () => {
    expect(thrownBy(() => new OptionsReader('group', 'x', ['size']))).toBeInstanceOf(RealtimeOptionsError);
  });
});
