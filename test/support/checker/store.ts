import { RedisServer } from '../redis-server';
import { TcpProxy } from '../tcp-proxy';
import { waitFor } from '../wait-for';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A Redis with a replica, behind one address, and what may happen to it. */
export class Store {
  private constructor(
    readonly proxy: TcpProxy,
    private master: RedisServer,
    private replica: RedisServer,
  ) {}

  /** @param persistent whether a restart finds what was there before */
  static async start(persistent: boolean): Promise<Store> {
    const args = persistent ? ['--appendonly', 'yes', '--appendfsync', 'no'] : [];
    const master = await RedisServer.start({ args });
    const replica = await RedisServer.start({ args });
    await follow(replica, master);
    return new Store(await TcpProxy.start(master.port), master, replica);
  }

  get url(): string {
    return this.proxy.url;
  }

  async stop(): Promise<void> {
    await Promise.all([this.proxy.stop(), this.master.stop(), this.replica.stop()]);
  }

  /** A crash, and some time until it is back, with what was written to disk. */
  async restart(): Promise<void> {
    await isWrittenDown(this.master);
    await this.master.kill();
    await pause(500);
    await this.master.restart();
    await inLine(this.replica);
  }

  /** Connections stay open, and nothing is answered for a while. */
  async freeze(): Promise<void> {
    this.master.pause();
    await pause(700);
    this.master.resume();
  }

  /** All connections break at once. */
  async disconnect(): Promise<void> {
    this.proxy.cut();
  }

  /** As an operator does it: the master stops writing, the replica has everything and takes over. */
  async handOver(): Promise<void> {
    const { master, replica } = this;
    await inLine(replica);
    await master.use((client) => client.call('FAILOVER', 'TO', '127.0.0.1', replica.port, 'TIMEOUT', 5000));
    await waitFor('the replica to take over', () => replica.use(async (client) => (await client.info('replication')).includes('role:master')));
    this.exchange();
  }

  /** As a partition does it: the replica takes over without what the master went on to accept. */
  async failOver(): Promise<void> {
    const { master, replica } = this;
    await inLine(replica);
    await replica.use((client) => client.replicaof('NO', 'ONE'));
    await pause(300);
    this.exchange();
    await follow(master, replica);
  }

  private exchange(): void {
    [this.master, this.replica] = [this.replica, this.master];
    this.proxy.retarget(this.master.port);
    this.proxy.cut();
  }
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.use((client) => client.replicaof('127.0.0.1', master.port));
  await inLine(replica);
}

/** The replica gets everything from its master as it comes. */
async function inLine(replica: RedisServer): Promise<void> {
  await waitFor('the replica to follow', () => replica.use(async (client) => (await client.info('replication')).includes('master_link_status:up')));
}

/** What has come to a server by a full synchronisation, and since, is in its log only once that has been written anew. */
async function isWrittenDown(server: RedisServer): Promise<void> {
  await waitFor('the log to be whole', () =>
    server.use(async (client) => {
      const info = await client.info('persistence');
      return info.includes('aof_rewrite_in_progress:0') && info.includes('aof_rewrite_scheduled:0');
    }),
  );
}
