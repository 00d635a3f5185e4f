import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

/** The version of the `redis-server` on PATH; undefined when there is none. */
export function redisVersion(): string | undefined {
  try {
    const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /v=(\S+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** A redis-server of the bench's own, that keeps nothing, and what it says about itself. */
export class BenchRedis {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly client: Redis,
  ) {}

  static async start(): Promise<BenchRedis> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    await client.ping();
    return new BenchRedis(child, `redis://127.0.0.1:${port}`, client);
  }

  /** CPU time since the start, in µs. */
  async cpu(): Promise<number> {
    const info = await this.client.info('cpu');
    const seconds = (field: string): number => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)![1]);
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000_000;
  }

  /** Connections of others. */
  async connections(): Promise<number> {
    const list = (await this.client.client('LIST')) as string;
    return list.trim().split('\n').length - 1;
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }
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
