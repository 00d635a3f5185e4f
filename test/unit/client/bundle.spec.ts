import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { ROOT } from '../architecture/library-sources';

/** Of the whole client, in bytes. */
const BUDGET = 8 * 1024;

let folder: string;

/** What a page would load that imports so much of a built entry. */
async function bundle(entry: string, names: string): Promise<string> {
  const stdin = { contents: `export ${names} from './${entry}.mjs';`, resolveDir: folder };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
  return outputFiles[0]!.text;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-bundle-'));
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build-client.mjs'), folder], { stdio: 'pipe' });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is at most 8 KB for a browser, minified and compressed, with everything in it', async () => {
  const code = readFileSync(join(folder, 'browser.mjs'), 'utf8');
  expect(code).toContain('event-stream');
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(BUDGET);
});

it('is one file that imports nothing', () => {
  const code = readFileSync(join(folder, 'browser.mjs'), 'utf8');
  expect(code).not.toMatch(/\bimport\b|\brequire\(/);
  expect(code).toMatch(/export\s*\{[^}]*\bas RealtimeClient\b/);
});

it('leaves the fall-back out of a bundle that does not use it', async () => {
  expect(await bundle('index', '{ RealtimeClient }')).toContain('event-stream');
  expect(await bundle('core', '{ RealtimeClient }')).not.toContain('event-stream');
  expect(await bundle('core', '{ RealtimeClient, sseTransport }')).toContain('event-stream');
});
