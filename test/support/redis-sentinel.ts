import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server';
import { requireTool } from './tools/executables.cjs';
import { waitFor } from './wait-for';

/** A master, a replica, and three Sentinels that watch them. */
export class SentinelServers {
  private readonly sentinels: ChildProcess[] = [];

  private constructor(
    readonly master: RedisServer,
    readonly replica: RedisServer,
    readonly sentinelNodes: readonly { host: string; port: number }[],
    private readonly directory: string,
  ) {}

  static async start(): Promise<SentinelServers> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({ args: ['--replicaof', `127.0.0.1 ${master.port}`] });
    const ports = [await freePort(), await freePort(), await freePort()];
    const directory = await mkdtemp(join(tmpdir(), 'realtime-sentinel-'));
    const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
    const servers = new SentinelServers(master, replica, nodes, directory);
    for (const port of ports) await servers.launch(port);
    for (const { port } of nodes) await servers.knows(port);
    return servers;
  }

  async stop(): Promise<void> {
    for (const sentinel of this.sentinels) sentinel.kill('SIGKILL');
    await Promise.all([this.master.stop(), this.replica.stop()]);
    await rm(this.directory, { recursive: true, force: true });
  }

  private async launch(port: number): Promise<void> {
    const config = join(this.directory, `${port}.conf`);
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${this.directory}`,
      `sentinel monitor mymaster 127.0.0.1 ${this.master.port} 2`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 3000',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    this.sentinels.push(spawn(requireTool('redis'), [config, '--sentinel'], { stdio: 'ignore' }));
  }

  /** A Sentinel that knows the replica and the other Sentinels can lead a fail-over. */
  private async knows(port: number): Promise<void> {
    const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
    client.on('error', () => undefined);
    try {
      await waitFor('the Sentinels to know each other', async () => {
        const info = await client.info('sentinel').catch(() => '');
        return info.includes('slaves=1') && info.includes('sentinels=3');
      });
    } finally {
      client.disconnect();
    }
  }
}
