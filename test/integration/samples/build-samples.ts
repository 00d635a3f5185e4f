import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = join(__dirname, '..', '..', '..');

const LOCK = join(ROOT, 'node_modules', '.samples-are-being-built');
/** A build takes a tenth of this; who holds the lock for longer, in ms, is gone. */
const LOCK_TIMEOUT = 120_000;

/** What is compiled, with one file that is there when it has been. */
const BUILDS = [
  { sources: ['lib'], make: () => compile('tsconfig.build.json'), output: 'dist/index.js' },
  { sources: ['lib'], make: () => run('scripts/build-client.mjs'), output: 'dist/client/browser.mjs' },
  { sources: ['lib', 'sample'], make: () => compile('sample/tsconfig.json'), output: 'dist-sample/01-chat/main.js' },
];

/**
 * Compiles the package and its samples, as `npm start` does, when the sources are newer than what is there. Specs that
 * run at the same time wait for each other. Types that do not fit are the business of `npm run typecheck`.
 */
export async function buildSamples(): Promise<void> {
  if (isUpToDate()) return;
  await withLock(() => {
    if (isUpToDate()) return;
    for (const { make } of BUILDS) make();
  });
}

function isUpToDate(): boolean {
  return BUILDS.every(({ sources, output }) => {
    const newest = Math.max(...sources.map((folder) => newestSource(join(ROOT, folder))));
    return modifiedAt(join(ROOT, output)) >= newest;
  });
}

function newestSource(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Math.max(...names.filter((name) => name.endsWith('.ts')).map((name) => modifiedAt(join(folder, name))));
}

function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** In place, without deleting first: something may be running from there. */
function compile(project: string): void {
  try {
    run('node_modules/typescript/bin/tsc', '-p', project);
  } catch (error) {
    const { status, stdout } = error as { status: number | null; stdout: string };
    // 2: there were type errors, and output all the same.
    if (status !== 2) throw new Error(`${project} could not be compiled:\n${stdout}`, { cause: error });
  }
}

function run(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, encoding: 'utf8' });
}

async function withLock(work: () => void): Promise<void> {
  while (!takeLock()) await sleep(100);
  try {
    work();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function takeLock(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    const heldSince = modifiedAt(LOCK);
    if (heldSince > 0 && Date.now() - heldSince > LOCK_TIMEOUT) rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}
