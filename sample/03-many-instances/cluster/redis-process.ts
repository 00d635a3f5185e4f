import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE = 10_000;
const PAUSE = 50;

/**
 * Runs redis-server until its own standard input ends, which it does however the process at the other end ends, by
 * SIGKILL too. Exits with 127, as shells do, where there is none.
 */
const KEEPER = 'command -v redis-server >/dev/null || exit 127; redis-server "$@" & cat >/dev/null; kill $!; wait $!';

/** A redis-server of the sample's own, that keeps nothing, and does not outlive this process. */
export class RedisProcess {
  private constructor(
    private readonly keeper: ChildProcess,
    readonly url: string,
  ) {}

  /** @throws Error when there is no redis-server, or it does not come up */
  static async start(): Promise<RedisProcess> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    // Of its own group: Ctrl+C must not end it before the instances have said good-bye.
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    await answers(port, keeper);
    return new RedisProcess(keeper, `redis://127.0.0.1:${port}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.keeper.once('exit', resolve));
    this.keeper.stdin?.end();
    await ended;
  }
}

const NO_REDIS =
  'The instances need Redis to meet. There is no redis-server on PATH: install Redis (apt-get install redis-server, ' +
  'brew install redis), or say where one is: REDIS_URL=redis://localhost:6379';

async function answers(port: number, keeper: ChildProcess): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await accepts(port))) {
    if (keeper.exitCode !== null) throw new Error(NO_REDIS);
    if (Date.now() > deadline) throw new Error(`redis-server does not answer on port ${port}.`);
    await delay(PAUSE);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
