import { clusterSlot } from '../../adapter/redis/connection/cluster-slot';
import { readClusterSlots } from '../../adapter/redis/connection/cluster-slots';
import type { ClusterSource, ConnectionSource } from '../../adapter/redis/connection/connection-source';
import { withDeadline } from '../../adapter/redis/connection/deadline';
import { closeConnection, type RedisClient } from '../../adapter/redis/connection/redis-client';
import type { RedisNodeAddress } from '../../adapter/redis/connection/redis-node-address';

const ASK_TIMEOUT = 2_000;

/** One connection to the Redis that has the stream. When it breaks it stays broken: the next use makes another. */
export class StreamLink {
  private client: RedisClient | undefined;
  private connecting: Promise<RedisClient> | undefined;
  private closed = false;

  constructor(
    private readonly source: ConnectionSource,
    private readonly key: string,
    private readonly purpose: 'source' | 'source-reads',
    /** How long a connection attempt may take, in ms. */
    private readonly connectTimeout: number,
  ) {}

  get ready(): boolean {
    return this.client?.status === 'ready';
  }

  /** @throws whatever the connection fails with */
  async connect(): Promise<RedisClient> {
    if (this.closed) throw new Error('the source has been stopped');
    if (this.client?.status === 'ready') return this.client;
    this.connecting ??= this.open().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  /** Gives the connection up: whatever waits for it fails. */
  reset(): void {
    if (this.client) closeConnection(this.client);
    this.client = undefined;
  }

  close(): void {
    this.closed = true;
    this.reset();
  }

  private async open(): Promise<RedisClient> {
    this.reset();
    const { cluster } = this.source;
    const node = cluster && (await this.findOwner(cluster));
    return this.openAt(node);
  }

  private async openAt(node: RedisNodeAddress | undefined): Promise<RedisClient> {
    if (this.closed) throw new Error('the source has been stopped');
    const client = this.source.open(this.purpose, node);
    this.client = client;
    let failure: Error | undefined;
    client.on('error', (error) => (failure = error));
    try {
      await withDeadline(client.connect(), this.connectTimeout, () => new Error(`no connection within ${this.connectTimeout} ms`));
      return client;
    } catch (error) {
      closeConnection(client);
      throw failure ?? error;
    }
  }

  /** The master that has the key's slot, from the first node that answers. */
  private async findOwner(cluster: ClusterSource): Promise<RedisNodeAddress> {
    const slot = clusterSlot(this.key);
    let failure: unknown = new Error('no node of the cluster is known');
    for (const seed of cluster.seeds()) {
      try {
        const client = await this.openAt(seed);
        const reply = await withDeadline(client.callBuffer('CLUSTER', ['SLOTS']), ASK_TIMEOUT, () => new Error(`no answer from ${seed.host}`));
        const range = readClusterSlots(reply, seed.host).find(({ from, to }) => from <= slot && slot <= to);
        if (range) return cluster.translate(range.node);
      } catch (error) {
        failure = error;
      } finally {
        this.reset();
      }
    }
    throw failure;
  }
}
