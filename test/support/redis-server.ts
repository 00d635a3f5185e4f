import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { requireTool } from './tools/executables.cjs';
import { waitFor } from './wait-for';

export interface RedisServerOptions {
  /** Arguments of redis-server, such as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  readonly port?: number;
}

/** A redis-server of a test's own: a real process, on a free port, in a directory that goes with it. */
export class RedisServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly args: readonly string[],
  ) {}

  static async start({ args = [], port }: RedisServerOptions = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'realtime-redis-'));
    const server = new RedisServer(port ?? (await freePort()), directory, args);
    await server.launch();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** As a crash would: without a word to anybody. Data are lost unless the server was told to keep them. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  }

  /** Starts again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  /** Connections stay open, and nothing is answered. */
  pause(): void {
    this.child!.kill('SIGSTOP');
  }

  resume(): void {
    this.child!.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Runs commands on a connection of its own. */
  async use<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = this.client();
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  /** A client for the test; to be disconnected by it. */
  client(options: Record<string, unknown> = {}): Redis {
    const client = new Redis({ port: this.port, host: '127.0.0.1', retryStrategy: () => 50, ...options });
    client.on('error', () => undefined);
    return client;
  }

  private async launch(): Promise<void> {
    const common = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory];
    const fleeting = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
    this.child = spawn(requireTool('redis'), [...common, ...fleeting, ...this.args], { stdio: 'ignore' });
    const { child } = this;
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    await this.answers();
  }

  private async answers(): Promise<void> {
    await this.use((client) => waitFor(`redis-server on port ${this.port}`, () => isAnswering(client)));
  }
}

/** NOAUTH and the like are answers too. */
async function isAnswering(client: Redis): Promise<boolean> {
  try {
    return (await client.ping()) === 'PONG';
  } catch (error) {
    return (error as Error).name === 'ReplyError' && !(error as Error).message.startsWith('LOADING');
  }
}

/** Three masters, each with a replica where asked for. */
export class RedisClusterServers {
  private constructor(
    readonly masters: readonly RedisServer[],
    readonly replicas: readonly RedisServer[],
  ) {}

  static async start({ replicas = false } = {}): Promise<RedisClusterServers> {
    const launch = (): Promise<RedisServer> => RedisServer.start({ args: CLUSTER_ARGS });
    const masters = await Promise.all([launch(), launch(), launch()]);
    const spares = replicas ? await Promise.all([launch(), launch(), launch()]) : [];
    const cluster = new RedisClusterServers(masters, spares);
    await cluster.join();
    return cluster;
  }

  get all(): readonly RedisServer[] {
    return [...this.masters, ...this.replicas];
  }

  get nodes(): { host: string; port: number }[] {
    return this.all.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()));
  }

  /** Moves a slot with everything in it from one master to another, as redis-cli does. */
  async moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
    await to.use((client) => client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId));
    await from.use(async (client) => {
      await client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
      for (;;) {
        const keys = (await client.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
        if (keys.length === 0) break;
        await client.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys);
      }
    });
    for (const server of [to, from]) {
      await server.use((client) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId));
    }
  }

  /** The master that has a slot. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const ranges = await this.masters[0]!.use((client) => client.call('CLUSTER', 'SLOTS') as Promise<[number, number, [string, number]][]>);
    const port = ranges.find(([from, to]) => slot >= from && slot <= to)![2][1];
    return this.all.find((server) => server.port === port)!;
  }

  private async join(): Promise<void> {
    const [first] = this.masters;
    for (const server of this.all.slice(1)) {
      await server.use((client) => client.call('CLUSTER', 'MEET', '127.0.0.1', first!.port));
    }
    const share = Math.ceil(16384 / this.masters.length);
    for (const [index, master] of this.masters.entries()) {
      const to = Math.min(16383, (index + 1) * share - 1);
      await master.use((client) => client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, to));
    }
    await waitFor('the nodes to know each other', async () => (await this.knownTo(first!)) === this.all.length);
    for (const [index, replica] of this.replicas.entries()) {
      const id = await idOf(this.masters[index]!);
      await waitFor('a replica to know its master', () => replica.use((client) => client.call('CLUSTER', 'REPLICATE', id).then(() => true, () => false)));
    }
    for (const server of this.all) {
      await waitFor('the cluster', async () => {
        const info = await server.use((client) => client.call('CLUSTER', 'INFO') as Promise<string>);
        return info.includes('cluster_state:ok') && info.includes('cluster_slots_assigned:16384');
      });
    }
    for (const replica of this.replicas) {
      await waitFor('a replica to be in step', () => replica.use(async (client) => (await client.info('replication')).includes('master_link_status:up')));
    }
  }

  private async knownTo(server: RedisServer): Promise<number> {
    const nodes = await server.use((client) => client.call('CLUSTER', 'NODES') as Promise<string>);
    return nodes.split('\n').filter((line) => line !== '' && !line.includes('handshake')).length;
  }
}

const CLUSTER_ARGS = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-replica-validity-factor', '0'];

function idOf(server: RedisServer): Promise<string> {
  return server.use((client) => client.call('CLUSTER', 'MYID') as Promise<string>);
}

/** Waits until a replica has everything that its master has now. */
export async function inStep(master: RedisServer, replica: RedisServer): Promise<void> {
  const offsetOf = async (server: RedisServer, field: string): Promise<number> =>
    Number(new RegExp(`${field}:(\\d+)`).exec(await server.use((client) => client.info('replication')))?.[1] ?? -1);
  const offset = await offsetOf(master, 'master_repl_offset');
  await waitFor('the replica to be in step', async () => (await offsetOf(replica, 'slave_repl_offset')) >= offset);
}

/** A port that was free a moment ago; in a cluster the port 10,000 above has to be free too. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenOn(0);
    if (port < 50_000 && (await listenOn(port + 10_000).catch(() => 0)) !== 0) return port;
  }
}

function listenOn(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address() as { port: number };
      server.close(() => resolve(address.port));
    });
  });
}
