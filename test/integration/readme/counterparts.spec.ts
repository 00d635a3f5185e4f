import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = join(__dirname, '../..');
const README = readFileSync(join(TESTS, 'README.md'), 'utf8');

/** Rows of the tables of counterparts: the reference system, its test, our file and a part of our test's name. */
const ROWS = README.split(/^\*\*(?=[A-E],)/m)
  .slice(1)
  .flatMap((section) =>
    [...section.matchAll(/^\| ([^|]+) \| `([^`]+\.spec\.ts)` \| ([^|]+) \|$/gm)].map(
      ([, theirs, file, ours]): [string, string, string, string] => [section[0]!, theirs!, file!, ours!],
    ),
  );

describe('CHECKLIST 47: the counterparts in test/README.md', () => {
  it.each(ROWS)('%s, %s: in %s there is "%s"', (_system, _theirs, file, ours) => {
    expect(existsSync(join(TESTS, file))).toBe(true);
    expect(readFileSync(join(TESTS, file), 'utf8')).toContain(ours);
  });

  it.each([
    ['A', /./, 4],
    ['B', /./, 7],
    ['C', /./, 10],
    ['D', /^Redis /, 7],
    ['D', /^MixedSubscribers/, 2],
  ])('are there for what %s tests: %s', (system, theirs, count) => {
    expect(ROWS.filter(([of, test]) => of === system && theirs.test(test))).toHaveLength(count);
  });

  it('are there for the fifteen Redis tests of E', () => {
    const redis = README.slice(README.indexOf('**E, Redis:**'), README.indexOf('**E, benchmarks:**'));
    expect(redis.match(/^\| \w+.*\.spec\.ts/gm)).toHaveLength(15);
  });
});
