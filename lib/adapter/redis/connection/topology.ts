import { RedisUnreachableError } from '../redis-adapter.errors';
import type { ConnectionSource } from './connection-source';
import { RedisShard, type ShardEvents } from './redis-shard';
import type { Signal } from './signal';

/** Which Redis has what. */
export interface Topology {
  /** Of a Redis Cluster: then pub/sub goes by slot too. */
  readonly sharded: boolean;
  /** @throws RedisUnreachableError unless `lazy` */
  start(lazy: boolean): Promise<void>;
  stop(): void;
  shards(): readonly RedisShard[];
  /** Undefined while nobody is known to have the key's slot. */
  shardFor(key: string): RedisShard | undefined;
  /** The shard at an address that another node named. */
  shardAt(address: string): RedisShard | undefined;
  /** Keys with the same route may be used in one script. */
  routeOf(key: string): string;
  /** Finds out anew who has what; {@link TopologyEvents.onRouted} tells when it is known. */
  refresh(): void;
}

export interface TopologyEvents extends ShardEvents {
  /** Channels may have come to other shards. */
  onRouted(): void;
}

/** One Redis, alone or behind Sentinels. */
export class SingleTopology implements Topology {
  readonly sharded = false;
  private readonly shard: RedisShard;

  constructor(
    private readonly source: ConnectionSource,
    events: TopologyEvents,
    /** Fired when a connection has changed. */
    changed: Signal,
  ) {
    const onStatus = (): void => {
      events.onStatus();
      changed.fire();
    };
    this.shard = new RedisShard(source.endpoint, source, { ...bind(events), onStatus });
  }

  async start(lazy: boolean): Promise<void> {
    const connected = this.shard.connect();
    if (lazy) {
      // It goes on trying, and has logged why it had to.
      connected.catch(() => undefined);
      return;
    }
    try {
      await connected;
    } catch (error) {
      this.stop();
      throw new RedisUnreachableError(this.source.endpoint, error);
    }
  }

  stop(): void {
    this.shard.close();
  }

  shards(): readonly RedisShard[] {
    return [this.shard];
  }

  shardFor(): RedisShard {
    return this.shard;
  }

  shardAt(): undefined {
    return undefined;
  }

  routeOf(): string {
    return '';
  }

  refresh(): void {}
}

/** The events as plain functions, so that they can be spread. */
export function bind(events: ShardEvents): ShardEvents {
  return {
    onMessage: (channel, message) => events.onMessage(channel, message),
    onSubscribed: (channels) => events.onSubscribed(channels),
    onRefused: (channels, error) => events.onRefused(channels, error),
    onMoved: () => events.onMoved(),
    onStatus: () => events.onStatus(),
  };
}
