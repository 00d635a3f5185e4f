// Bundles lib/client as ES modules, after `nest build`: dist/client/index.mjs and core.mjs for bundlers and Node, and
// dist/client/browser.mjs, one minified file for <script type="module">. Fails when that file is too big.
// Usage: node scripts/build-client.mjs [folder, dist/client unless given]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import ts from 'typescript';
import { internalNames } from './internal-names.mjs';

/** Bytes of browser.mjs after gzip. */
const BUDGET = 8 * 1024;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'lib/client');
const output = resolve(process.argv[2] ?? join(root, 'dist/client'));
const entries = [join(source, 'index.ts'), join(source, 'core.ts')];

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
  absWorkingDir: root,
  // Fields that are declared and not set need no code.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
};

function compilerOptions() {
  const { config, error } = ts.readConfigFile(join(root, 'tsconfig.build.json'), ts.sys.readFile);
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

/** Readable, in parts: what an application does not use, its bundler leaves out. */
async function buildForBundlers() {
  await build({ ...common, entryPoints: entries, outdir: output, splitting: true, chunkNames: 'shared-[hash]' });
}

/** TypeScript takes declarations for an ES module from `.d.mts` alone: these name the ones that `nest build` made. */
function writeDeclarations() {
  for (const [module, types] of [['index', 'index'], ['core', 'core'], ['browser', 'index']]) {
    writeFileSync(join(output, `${module}.d.mts`), `export * from './${types}.js';\n`);
  }
}

/** @returns the minified code of one entry, names of internal members shortened */
async function minify(entryPoint, mangled) {
  const mangleProps = new RegExp(`^(${mangled.join('|')})$`);
  const options = { ...common, stdin: entryPoint, minify: true, mangleProps, write: false };
  const { outputFiles } = await build(options);
  return outputFiles[0].text;
}

/** Exports so much of a module that a bundler would keep. */
function entry(contents) {
  return { contents, resolveDir: source, loader: 'ts' };
}

const sizeOf = (code) => gzipSync(code, { level: 9 }).length;

mkdirSync(output, { recursive: true });
await buildForBundlers();
writeDeclarations();
const mangled = internalNames(entries, `${source}/`, compilerOptions());
const everything = await minify(entry("export * from './index';"), mangled);
const webSocketOnly = await minify(entry("export { RealtimeClient } from './core';"), mangled);
writeFileSync(join(output, 'browser.mjs'), everything);

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const sizes = `browser.mjs ${sizeOf(everything)} bytes, without SSE ${sizeOf(webSocketOnly)} (min+gzip, budget ${BUDGET})`;
process.stdout.write(`client ${version}: ${sizes}\n`);
if (sizeOf(everything) > BUDGET) {
  process.stderr.write('dist/client/browser.mjs is over its budget: leave something out, or shorten it.\n');
  process.exitCode = 1;
}
