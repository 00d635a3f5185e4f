// Starts the application as the README says (`npm start`), waits until its page answers, and stops it again: for CI.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** It builds first. */
const START_TIMEOUT = 240_000;
const STOP_TIMEOUT = 30_000;
const POLL_INTERVAL = 250;

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Polls until `condition` gives something. Throws when it does not in time, or when `stopped` says that it never will. */
async function waitFor(what, timeout, condition, stopped = () => undefined) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const result = await condition();
    if (result) return result;
    const reason = stopped() ?? (Date.now() > deadline ? `not within ${timeout / 1000} s` : undefined);
    if (reason) throw new Error(`${what}: ${reason}`);
    await sleep(POLL_INTERVAL);
  }
}

async function readPage(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  } catch {
    return undefined;
  }
}

/** Signals npm and everything that it started. @returns whether there was anything left to signal */
function signalGroup(child, signal) {
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

const port = await findFreePort();
const url = `http://127.0.0.1:${port}/`;
const env = { ...process.env, PORT: String(port), REDIS_URL: '' };
// A process group of its own, so that stopping it stops nothing else.
const child = spawn('npm', ['start'], { env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
const early = () => (child.exitCode === null ? undefined : `npm start ended with exit code ${child.exitCode}`);
try {
  const page = await waitFor(`GET ${url}`, START_TIMEOUT, () => readPage(url), early);
  if (page.status !== 200 || !page.type.startsWith('text/html') || page.text === '') {
    throw new Error(`GET ${url} answered ${page.status} ${page.type}: expected a page`);
  }
  console.log(`GET ${url} answered ${page.status} ${page.type}, ${page.text.length} characters`);
  signalGroup(child, 'SIGTERM');
  await waitFor('stopping on SIGTERM', STOP_TIMEOUT, () => !signalGroup(child, 0));
  console.log('It stopped on SIGTERM.');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  signalGroup(child, 'SIGKILL');
}
