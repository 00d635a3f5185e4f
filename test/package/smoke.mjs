// `npm run test:package`: packs the project, installs the tarball into new applications on Nest 11 and Nest 12, and
// runs, bundles and type-checks them as their authors would.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APP_DEPENDENCIES, NEST_VERSIONS } from './nest-versions.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(import.meta.url);
const { name: PACKAGE, peerDependenciesMeta } = require('../../package.json');

const NPM_TIMEOUT = 5 * 60_000;
/** Generous: a loaded machine may take its time, an open handle takes for ever. */
const RUN_TIMEOUT = 90_000;

let passed = 0;
let failed = 0;

/** One check: what it says when it throws is what is printed. */
async function check(title, action) {
  try {
    await action();
    passed += 1;
    console.log(`  ok      ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`  FAILED  ${title}\n${indent(error.message)}`);
  }
}

function indent(text) {
  return text.trimEnd().replaceAll(/^/gm, '          ');
}

/** Runs a program to its end and returns what it printed. Throws with that text when it fails or does not end. */
function run(command, args, { cwd, timeout = RUN_TIMEOUT }) {
  const options = { cwd, timeout, killSignal: 'SIGKILL', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, options);
  if (status === 0) return stdout;
  const ending =
    error?.code === 'ETIMEDOUT'
      ? `did not end by itself within ${timeout / 1000} s (a handle was left open, or it waits)`
      : (error?.message ?? `ended with ${status === null ? signal : `exit code ${status}`}`);
  throw new Error(`${[command, ...args].join(' ')} ${ending}\n${stdout ?? ''}${stderr ?? ''}`);
}

/** @returns the path of the tarball in `folder` */
function pack(folder) {
  run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT, timeout: NPM_TIMEOUT });
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  return join(folder, tarball);
}

/** Makes an application in `folder` with the tarball and what an application on this Nest has, and nothing else. */
function install(folder, tarball, nestDependencies) {
  mkdirSync(folder);
  cpSync(join(HERE, 'app'), folder, { recursive: true });
  cpSync(join(HERE, 'types'), folder, { recursive: true });
  const dependencies = { ...APP_DEPENDENCIES, ...nestDependencies, [PACKAGE]: `file:${tarball}` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }, undefined, 2));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, timeout: NPM_TIMEOUT });
}

function checkContents(folder) {
  const installed = join(folder, 'node_modules', PACKAGE);
  const expected = ['CHANGELOG.md', 'LICENSE', 'PROTOCOL.md', 'README.md', 'dist', 'package.json'];
  const found = readdirSync(installed)
    .filter((file) => file !== 'node_modules')
    .toSorted();
  if (found.join() !== expected.join()) throw new Error(`expected ${expected.join(', ')}; found ${found.join(', ')}`);
}

/** The applications run without them, so none of them may be loaded by the way. */
function checkNoOptionalPeers(folder) {
  const present = Object.keys(peerDependenciesMeta).filter((peer) => existsSync(join(folder, 'node_modules', peer)));
  if (present.length > 0) throw new Error(`${present.join(', ')} came along: the applications cannot show this`);
}

function runEntry(folder, entry) {
  const output = run(process.execPath, ['--trace-warnings', entry], { cwd: folder });
  if (output.trim() !== 'done') throw new Error(`${entry} printed more than it should:\n${output}`);
}

/** Sub-paths that need a package which the applications do not have. */
const OPTIONAL_SUBPATHS = new Set(['./health']);

/** Every other sub-path of the exports map, loaded in both module systems. */
function checkSubpaths(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules', PACKAGE, 'package.json'), 'utf8'));
  const specifiers = Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json') && !OPTIONAL_SUBPATHS.has(subpath))
    .map((subpath) => JSON.stringify(join(PACKAGE, subpath)));
  const required = specifiers.map((specifier) => `require(${specifier});`).join('\n');
  run(process.execPath, ['--eval', `require('reflect-metadata');\n${required}`], { cwd: folder });
  const imported = specifiers.map((specifier) => `await import(${specifier});`).join('\n');
  run(process.execPath, ['--input-type=module', '--eval', `import 'reflect-metadata';\n${imported}`], { cwd: folder });
}

/** Written here, since the project's own `typecheck` must not need a build. */
const CLIENT_CONSUMER = `
import type { HubService } from '${PACKAGE}';
import { RealtimeClient } from '${PACKAGE}/client';
import { RealtimeClient as LightClient } from '${PACKAGE}/client/core';
import { RealtimeClient as PageClient } from '${PACKAGE}/client/browser';

interface AppChannels {
  'room:{name}': { messages: { chat: { text: string } } };
}

export function follow(client: RealtimeClient<AppChannels>, hub: HubService<AppChannels>): void {
  client.channel('room:lobby').onMessage('chat', ({ text }) => hub.publish('room:other', { text }, { type: 'chat' }));
  // @ts-expect-error the text is missing
  void hub.publish('room:other', {}, { type: 'chat' });
}

export const clients = [new LightClient('wss://example.test/ws'), new PageClient('/ws', { transports: ['sse'] })];
`;

function typeCheck(folder) {
  writeFileSync(join(folder, 'typed-client.mts'), CLIENT_CONSUMER);
  const files = ['consumer.cts', 'consumer.mts', 'typed-client.mts'];
  compile(folder, { module: 'Node20', moduleResolution: 'Node16' }, files);
}

/** As applications made with earlier versions of the Nest CLI resolve: without `exports`. */
function typeCheckOlder(folder) {
  writeFileSync(join(folder, 'older-client.ts'), `${CLIENT_CONSUMER}\nexport * from '${PACKAGE}/health';\n`);
  compile(folder, { module: 'CommonJS', moduleResolution: 'Node10', ignoreDeprecations: '6.0' }, ['older-client.ts']);
}

/** Declarations are checked too, ours without exception; those of other packages are not ours to judge. */
function compile(folder, how, files) {
  const compilerOptions = {
    ...how,
    target: 'ES2022',
    types: ['node'],
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const config = { compilerOptions, files };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config, undefined, 2));
  const tsc = require.resolve('typescript/bin/tsc');
  const args = [tsc, '--project', folder, '--pretty', 'false'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: NPM_TIMEOUT });
  const foreign = new RegExp(`^node_modules/(?!${PACKAGE}/)`);
  const errors = stdout.split(/\n(?=\S)/).filter((line) => line.trim() !== '' && !foreign.test(line));
  if (errors.length > 0) throw new Error(errors.join('\n'));
}

/** The client runs in a browser: a bundler finds no Node builtin in it, nor any other package. */
async function bundleClient(folder) {
  const whole = await bundle(folder, `export * from '${PACKAGE}/client';`);
  const light = await bundle(folder, `export { RealtimeClient } from '${PACKAGE}/client/core';`);
  if (!whole.includes('event-stream')) throw new Error('the fall-back transport is not in the whole client');
  if (light.includes('event-stream')) throw new Error('the fall-back transport is bundled though nobody uses it');
}

async function bundle(folder, contents) {
  const { build } = require('esbuild');
  const options = { bundle: true, platform: 'browser', format: 'esm', write: false, logLevel: 'silent' };
  const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir: folder } });
  return outputFiles[0].text;
}

/** One file that imports nothing, for a page without a bundler. */
function checkBrowserFile(folder) {
  const file = join(folder, 'node_modules', PACKAGE, 'dist', 'client', 'browser.mjs');
  const code = readFileSync(file, 'utf8');
  if (/\bimport\b\s*[{*"'(]|\brequire\(/.test(code)) throw new Error('browser.mjs imports something');
  const script = `import { RealtimeClient } from '${PACKAGE}/client/browser';
    new RealtimeClient('ws://127.0.0.1:9/ws', { WebSocket: class {}, autoConnect: false }).close();`;
  run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
}

/** A client of either module system talks to a server of the same package. */
function runClient(folder) {
  const output = run(process.execPath, ['client.mjs'], { cwd: folder });
  if (output.trim() !== 'cjs hello, mjs hello') throw new Error(`client.mjs printed:\n${output}`);
}

/** The last check of an application: from here on it has one of the optional peers. */
function checkHealth(folder, terminus) {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `@nestjs/terminus@${terminus}`];
  run('npm', args, { cwd: folder, timeout: NPM_TIMEOUT });
  runEntry(folder, 'health.cjs');
  run(process.execPath, ['--input-type=module', '--eval', `import 'reflect-metadata';\nawait import('${PACKAGE}/health');`], { cwd: folder });
}

const folder = mkdtempSync(join(tmpdir(), 'package-smoke-'));
try {
  console.log('Packing');
  const tarball = pack(folder);
  for (const { name, dependencies, terminus } of NEST_VERSIONS) {
    console.log(name);
    const app = join(folder, name.replace(' ', '-').toLowerCase());
    install(app, tarball, dependencies);
    await check('the package holds what it should', () => checkContents(app));
    await check('the application has none of the optional peers', () => checkNoOptionalPeers(app));
    await check('a CommonJS application runs, and ends by itself', () => runEntry(app, 'app.cjs'));
    await check('an ES module application runs, and ends by itself', () => runEntry(app, 'app.mjs'));
    await check('every sub-path loads in both module systems', () => checkSubpaths(app));
    await check('TypeScript takes the types, and checks ours', () => typeCheck(app));
    await check('the client talks to the server, as CommonJS and as ES module', () => runClient(app));
    await check('a bundler takes the client for a browser, and leaves out what is not used', () => bundleClient(app));
    await check('a page takes the client as one file', () => checkBrowserFile(app));
    await check('Terminus is told of its health, where it is installed', () => checkHealth(app, terminus));
    await check('TypeScript finds the types of every sub-path without `exports` too', () => typeCheckOlder(app));
  }
} catch (error) {
  failed += 1;
  console.log(`FAILED\n${indent(error.message)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`package: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
