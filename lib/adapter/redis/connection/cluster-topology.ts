import { Logger } from '@nestjs/common';
import { RedisUnreachableError } from '../redis-adapter.errors';
import { clusterSlot } from './cluster-slot';
import { readClusterSlots, type SlotRange } from './cluster-slots';
import type { ClusterSource, ConnectionSource } from './connection-source';
import { withDeadline } from './deadline';
import { closeConnection, type RedisClient } from './redis-client';
import { RedisShard } from './redis-shard';
import type { Signal } from './signal';
import { bind, type Topology, type TopologyEvents } from './topology';

const SLOTS = 16384;
/** Between two looks at the cluster when something seems to have changed, in ms. */
const MIN_INTERVAL = 200;
/** Between two looks when nothing does, in ms. */
const MAX_INTERVAL = 10_000;
const ASK_TIMEOUT = 2_000;

/** The masters of a Redis Cluster, and which of them has which slot. Asked again when a node says that a slot has moved. */
export class ClusterTopology implements Topology {
  readonly sharded = true;
  private readonly logger = new Logger('RedisAdapter');
  private readonly byId = new Map<string, RedisShard>();
  private readonly retired = new Set<RedisShard>();
  private owners: (RedisShard | undefined)[] = Array.from({ length: SLOTS });
  private timer: NodeJS.Timeout | undefined;
  private refreshing = false;
  private refreshedAt = 0;
  private started = false;
  private stopped = false;

  constructor(
    private readonly source: ConnectionSource & { readonly cluster: ClusterSource },
    private readonly events: TopologyEvents,
    private readonly changed: Signal,
  ) {}

  async start(lazy: boolean): Promise<void> {
    try {
      await this.update();
      await Promise.all(this.shards().map((shard) => shard.connect()));
    } catch (error) {
      if (!lazy) {
        this.stop();
        throw new RedisUnreachableError(this.source.endpoint, error);
      }
      this.logger.warn(`Redis Cluster at ${this.source.endpoint}: ${String(error)}`);
    }
    this.started = true;
    this.schedule(this.byId.size === 0 ? MIN_INTERVAL : MAX_INTERVAL);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const shard of [...this.byId.values(), ...this.retired]) shard.close();
    this.byId.clear();
    this.owners = [];
  }

  shards(): readonly RedisShard[] {
    return [...this.byId.values()];
  }

  shardFor(key: string): RedisShard | undefined {
    return this.owners[clusterSlot(key)];
  }

  shardAt(address: string): RedisShard | undefined {
    const colon = address.lastIndexOf(':');
    const node = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    return this.byId.get(idOf(this.source.cluster.translate(node)));
  }

  routeOf(key: string): string {
    return String(clusterSlot(key));
  }

  refresh(): void {
    if (this.stopped || this.refreshing) return;
    this.schedule(Math.max(0, this.refreshedAt + MIN_INTERVAL - Date.now()));
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.look(), delay);
  }

  private async look(): Promise<void> {
    this.refreshing = true;
    let next = MAX_INTERVAL;
    try {
      await this.update();
    } catch (error) {
      this.logger.warn(`Redis Cluster at ${this.source.endpoint}: ${String(error)}`);
      next = 1_000;
    }
    this.refreshing = false;
    const healthy = this.byId.size > 0 && this.shards().every(({ ready }) => ready);
    this.schedule(healthy ? next : Math.min(next, 1_000));
  }

  private async update(): Promise<void> {
    const ranges = await this.askAnyNode();
    this.refreshedAt = Date.now();
    if (this.stopped) return;
    const owners: (RedisShard | undefined)[] = Array.from({ length: SLOTS });
    const present = new Set<string>();
    for (const { from, to, node } of ranges) {
      const address = this.source.cluster.translate(node);
      const shard = this.shardOf(idOf(address), address);
      present.add(shard.id);
      owners.fill(shard, from, to + 1);
    }
    this.owners = owners;
    // The new owners subscribe before the old ones are closed.
    this.events.onRouted();
    for (const [id, shard] of this.byId) {
      if (present.has(id)) continue;
      this.byId.delete(id);
      this.retired.add(shard);
      shard.retire(() => this.retired.delete(shard));
    }
    this.changed.fire();
  }

  private shardOf(id: string, address: { host: string; port: number }): RedisShard {
    let shard = this.byId.get(id);
    if (shard) return shard;
    const onStatus = (): void => {
      this.events.onStatus();
      this.changed.fire();
      if (!shard!.ready) this.refresh();
    };
    shard = new RedisShard(id, this.source, { ...bind(this.events), onStatus }, address);
    this.byId.set(id, shard);
    // The first ones are connected by `start`, which waits for them.
    if (this.started) shard.connect().catch(() => undefined);
    return shard;
  }

  private async askAnyNode(): Promise<SlotRange[]> {
    let failure: unknown = new Error('no node is known');
    for (const shard of this.shards()) {
      if (shard.commands.status !== 'ready') continue;
      try {
        return await ask(shard.commands);
      } catch (error) {
        failure = error;
      }
    }
    for (const seed of this.source.cluster.seeds()) {
      const client = this.source.open('topology', seed);
      client.on('error', (error) => (failure = error));
      try {
        await client.connect();
        return await ask(client);
      } catch (error) {
        failure ??= error;
      } finally {
        closeConnection(client);
      }
    }
    throw failure;
  }
}

async function ask(client: RedisClient): Promise<SlotRange[]> {
  const host = typeof client.options.host === 'string' ? client.options.host : '127.0.0.1';
  const reply = client.callBuffer('CLUSTER', ['SLOTS']);
  const answer = await withDeadline(reply, ASK_TIMEOUT, () => new Error(`no answer from ${host}`));
  return readClusterSlots(answer, host);
}

function idOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`;
}
