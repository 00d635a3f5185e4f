import { checkSources } from './import-rules';

/** Checks a small library of its own: `check({ 'hub/a': "import './b';", 'hub/b': '' })`. */
function check(files: Record<string, string>): string[] {
  return checkSources(new Map(Object.entries(files).map(([name, text]) => [`lib/${name}.ts`, text])));
}

/** Checks one import from one file to another. */
function checkImport(from: string, to: string): string[] {
  const up = '../'.repeat(from.split('/').length - 1) || './';
  return check({ [from]: `import { X } from '${up}${to}';`, [to]: 'export const X = 1;' });
}

describe('the direction of imports', () => {
  it.each([
    ['transports/ws/gateway', 'channels/dispatcher'],
    ['transports/ws/gateway', 'hub/hub'],
    ['transports/ws/gateway', 'auth/guard'],
    ['transports/ws/gateway', 'adapter/hub-adapter'],
    ['transports/ws/gateway', 'protocol/envelope'],
    ['channels/dispatcher', 'hub/hub'],
    ['channels/dispatcher', 'auth/guard'],
    ['channels/dispatcher', 'protocol/envelope'],
    ['hub/hub', 'protocol/envelope'],
    ['hub/hub', 'adapter/hub-adapter'],
    ['adapter/memory/memory-adapter', 'protocol/cursor'],
    ['adapter/memory/memory-adapter', 'adapter/hub-adapter'],
    ['auth/guard', 'protocol/errors'],
    ['client/client', 'protocol/envelope'],
    ['health/indicator', 'hub/hub'],
    ['metrics/metrics', 'adapter/redis/redis-adapter'],
    ['sources/redis-stream', 'channels/patterns'],
    ['testing/client', 'protocol/envelope'],
    ['realtime.module', 'transports/ws/gateway'],
    ['realtime.module', 'realtime.options'],
    ['realtime.providers', 'adapter/redis/redis-adapter'],
    ['realtime.settings', 'realtime.options'],
    ['realtime.options', 'adapter/redis/redis-adapter'],
    ['index', 'realtime.module'],
    ['index', 'client/client'],
  ])('lets %s import %s', (from, to) => {
    expect(checkImport(from, to)).toEqual([]);
  });

  it.each([
    ['transports/ws/gateway', 'adapter/redis/redis-adapter'],
    ['transports/ws/gateway', 'sources/redis-stream'],
    ['channels/dispatcher', 'transports/ws/gateway'],
    ['channels/dispatcher', 'adapter/hub-adapter'],
    ['hub/hub', 'channels/dispatcher'],
    ['hub/hub', 'auth/guard'],
    ['hub/hub', 'adapter/memory/memory-adapter'],
    ['hub/hub', 'transports/ws/gateway'],
    ['adapter/memory/memory-adapter', 'hub/hub'],
    ['auth/guard', 'hub/hub'],
    ['client/client', 'hub/hub'],
    ['protocol/envelope', 'hub/hub'],
    ['health/indicator', 'transports/ws/gateway'],
    ['metrics/metrics', 'client/client'],
    ['hub/hub', 'realtime.module'],
    ['transports/ws/gateway', 'realtime.options'],
    ['hub/hub', 'realtime.settings'],
    ['realtime.options', 'realtime.module'],
    ['realtime.module', 'index'],
    ['hub/hub', 'index'],
  ])('refuses that %s imports %s', (from, to) => {
    expect(checkImport(from, to)).toEqual([expect.stringContaining(`lib/${from}.ts imports lib/${to}.ts: `)]);
  });

  it.each([
    ['a type', "import type { X } from '../channels/x';"],
    ['an export', "export * from '../channels/x';"],
    ['a dynamic import', "export const load = () => import('../channels/x');"],
    ['a require', "const x = require('../channels/x');"],
    ['an import of require', "import x = require('../channels/x');"],
    ['an import type', "export type X = import('../channels/x').X;"],
    ['a file with its extension', "import '../channels/x.js';"],
  ])('sees %s', (_form, text) => {
    expect(check({ 'hub/a': text, 'channels/x': '' })).toEqual([
      'lib/hub/a.ts imports lib/channels/x.ts: hub may import protocol, adapter/hub-adapter',
    ]);
  });

  it('resolves a folder to its index', () => {
    expect(check({ 'protocol/a': "import '../hub';", 'hub/index': '' })).toEqual([
      'lib/protocol/a.ts imports lib/hub/index.ts: protocol may import nothing',
    ]);
  });

  it('refuses an import of a file that is not there', () => {
    expect(check({ 'hub/a': "import './gone';" })).toEqual(['lib/hub/a.ts imports ./gone, which is no file of lib']);
  });

  it.each(['plugins/a', 'realtime.helpers'])('asks where %s belongs', (file) => {
    expect(check({ [file]: '' })).toEqual([expect.stringContaining(`lib/${file}.ts belongs to no layer`)]);
  });
});

describe('packages', () => {
  it.each([
    ['hub/a', 'ws'],
    ['hub/a', 'ioredis'],
    ['hub/a', 'ioredis/built/cluster'],
    ['channels/a', 'ws'],
    ['transports/ws/a', 'ioredis'],
    ['protocol/a', 'node:crypto'],
    ['protocol/a', 'crypto'],
    ['protocol/a', '@nestjs/common'],
    ['client/a', 'node:events'],
    ['client/a', 'ws'],
    ['client/a', 'secure-json-parse'],
  ])('refuses that %s imports %s', (file, specifier) => {
    expect(check({ [file]: `import '${specifier}';` })).toEqual([
      expect.stringContaining(`lib/${file}.ts imports ${specifier}: `),
    ]);
  });

  it.each([
    ['hub/a', 'node:crypto'],
    ['hub/a', '@nestjs/common'],
    ['transports/ws/a', 'ws'],
    ['adapter/redis/a', 'ioredis'],
    ['protocol/a', 'secure-json-parse'],
  ])('lets %s import %s', (file, specifier) => {
    expect(check({ [file]: `import '${specifier}';` })).toEqual([]);
  });
});

describe('circles of imports', () => {
  it('tells a circle once, from its first file', () => {
    const files = { 'hub/c': "import './a';", 'hub/a': "import './b';", 'hub/b': "import type { C } from './c';" };
    expect(check(files)).toEqual(['circle of imports: lib/hub/a.ts → lib/hub/b.ts → lib/hub/c.ts → lib/hub/a.ts']);
  });

  it('tells each of two circles that share a file', () => {
    const files = { 'hub/a': "import './b'; import './c';", 'hub/b': "import './a';", 'hub/c': "import './a';" };
    expect(check(files)).toHaveLength(2);
  });

  it('finds a file that imports itself', () => {
    expect(check({ 'hub/a': "import './a';" })).toEqual(['circle of imports: lib/hub/a.ts → lib/hub/a.ts']);
  });

  it('takes two ways to one file for no circle', () => {
    const files = { 'hub/a': "import './b'; import './c';", 'hub/b': "import './d';", 'hub/c': "import './d';", 'hub/d': '' };
    expect(check(files)).toEqual([]);
  });
});

describe('what a file may hold', () => {
  it('refuses a file of 301 lines and takes one of 300', () => {
    expect(check({ 'hub/a': 'export {};\n'.repeat(301) })).toEqual(['lib/hub/a.ts has 301 lines: at most 300']);
    expect(check({ 'hub/a': 'export {};\n'.repeat(300) })).toEqual([]);
  });

  it('refuses console, not a member or a comment of that name', () => {
    expect(check({ 'hub/a': "console.log('x');" })).toEqual(["lib/hub/a.ts uses console: use Nest's Logger"]);
    expect(check({ 'hub/a': '// console.log()\nexport const a = { console: 1 }.console;' })).toEqual([]);
  });

  it('refuses the path of a machine, not a route', () => {
    expect(check({ 'hub/a': "// see /home/ann/notes.txt" })).toEqual([
      'lib/hub/a.ts names /home/ann/notes.txt, a path of one machine',
    ]);
    expect(check({ 'hub/a': "export const path = '/ws/home/lobby';" })).toEqual([]);
  });

  it.each(['protocol', 'client'])("refuses Node's globals in %s, as values and as types", (layer) => {
    const message = `lib/${layer}/a.ts uses Buffer: ${layer} must run in a browser`;
    expect(check({ [`${layer}/a`]: "export const b = Buffer.from('x');" })).toEqual([message]);
    expect(check({ [`${layer}/a`]: 'export type B = Buffer;' })).toEqual([message]);
    expect(check({ [`${layer}/a`]: 'export const p = process.env;' })).toHaveLength(1);
    expect(check({ [`${layer}/a`]: 'export interface A { process: string }' })).toEqual([]);
  });

  it('lets the hub use Buffer', () => {
    expect(check({ 'hub/a': "export const b = Buffer.from('x');" })).toEqual([]);
  });
});
