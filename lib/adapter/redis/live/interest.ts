import type { RedisShard } from '../connection/redis-shard';
import { AdapterUnavailableError } from '../../adapter.errors';
import { Deadlines, type Expiring } from '../connection/deadline';
import type { Topology } from '../connection/topology';
import type { LiveChannel } from './live-channel';

/** A channel that this instance listens to in Redis. */
export class Interest {
  /** Whether anybody here wants it. Without, it lingers for a moment and then goes. */
  wanted = true;
  /** Whether Redis has confirmed it, on the shard that it belongs to now. */
  held = false;
  shard: RedisShard | undefined;
  /** The state of a channel with history; made with its first position. */
  live: LiveChannel | undefined;
  readonly waiting = new Set<Waiting>();

  constructor(
    /** The channel's name. */
    readonly name: string,
    /** The name of its pub/sub channel in Redis. */
    readonly pubSubChannel: string,
  ) {}
}

class Waiting implements Expiring {
  constructor(
    readonly deadline: number,
    readonly resolve: () => void,
    readonly reject: (error: Error) => void,
    private readonly interest: Interest,
  ) {}

  expire(): void {
    this.interest.waiting.delete(this);
    this.reject(new AdapterUnavailableError(`Subscribing to ${this.interest.name}`, 'not_sent', 'Redis was not there in time'));
  }
}

interface Lingering extends Expiring {
  readonly interest: Interest;
}

export interface InterestSettings {
  readonly linger: number;
  readonly commandTimeout: number;
}

/**
 * What this instance listens to in Redis: the channels with local subscribers, and for a moment those that had some, so that
 * a channel that is left and taken again at once costs nothing.
 */
export class Interests {
  private readonly byName = new Map<string, Interest>();
  private readonly byPubSubChannel = new Map<string, Interest>();
  private readonly waiting = new Deadlines<Waiting>();
  private readonly lingering = new Deadlines<Lingering>();
  private readonly lingers = new Map<Interest, Lingering>();

  constructor(
    private readonly topology: Topology,
    private readonly settings: InterestSettings,
  ) {}

  get size(): number {
    return this.byName.size;
  }

  find(name: string): Interest | undefined {
    return this.byName.get(name);
  }

  findByPubSubChannel(channel: string): Interest | undefined {
    return this.byPubSubChannel.get(channel);
  }

  values(): IterableIterator<Interest> {
    return this.byName.values();
  }

  /** Resolves once Redis has confirmed it. @throws AdapterUnavailableError */
  take(name: string, pubSubChannel: string): Promise<void> {
    let interest = this.byName.get(name);
    if (interest === undefined) {
      interest = new Interest(name, pubSubChannel);
      this.byName.set(name, interest);
      this.byPubSubChannel.set(pubSubChannel, interest);
      this.route(interest);
    }
    this.keep(interest);
    return interest.held ? Promise.resolve() : this.wait(interest);
  }

  leave(name: string): void {
    const interest = this.byName.get(name);
    if (!interest?.wanted) return;
    interest.wanted = false;
    const lingering: Lingering = {
      interest,
      deadline: Date.now() + this.settings.linger,
      expire: () => this.drop(interest),
    };
    this.lingers.set(interest, lingering);
    this.lingering.add(lingering);
  }

  onSubscribed(channels: readonly string[]): Interest[] {
    const interests = channels.map((channel) => this.byPubSubChannel.get(channel)).filter((interest) => interest !== undefined);
    for (const interest of interests) {
      interest.held = true;
      for (const waiting of interest.waiting) this.settle(interest, waiting).resolve();
    }
    return interests;
  }

  onRefused(channels: readonly string[], error: Error): void {
    for (const channel of channels) {
      const interest = this.byPubSubChannel.get(channel);
      if (!interest) continue;
      const refused = new AdapterUnavailableError(`Subscribing to ${interest.name}`, 'refused', `Redis said "${error.message}"`, error);
      for (const waiting of interest.waiting) this.settle(interest, waiting).reject(refused);
    }
  }

  /** A connection is gone: what it had subscribed to is confirmed again by the next. */
  onLost(shard: RedisShard): void {
    for (const interest of this.byName.values()) {
      if (interest.shard === shard) interest.held = false;
    }
  }

  /** Slots may have moved: every channel goes to the shard that has it now. */
  reroute(): void {
    for (const interest of this.byName.values()) this.route(interest);
  }

  close(): void {
    this.waiting.clear();
    this.byName.clear();
    this.byPubSubChannel.clear();
    this.lingering.clear();
    this.lingers.clear();
  }

  private keep(interest: Interest): void {
    interest.wanted = true;
    const lingering = this.lingers.get(interest);
    if (!lingering) return;
    this.lingers.delete(interest);
    this.lingering.delete(lingering);
  }

  private drop(interest: Interest): void {
    this.lingers.delete(interest);
    if (this.byName.get(interest.name) !== interest) return;
    this.byName.delete(interest.name);
    this.byPubSubChannel.delete(interest.pubSubChannel);
    interest.shard?.subscriber.remove(interest.pubSubChannel);
    for (const waiting of interest.waiting) waiting.expire();
  }

  private route(interest: Interest): void {
    const shard = this.topology.shardFor(interest.pubSubChannel);
    // Without an owner it stays where it was until there is one.
    if (shard === interest.shard || shard === undefined) return;
    interest.shard?.subscriber.remove(interest.pubSubChannel);
    interest.shard = shard;
    interest.held = false;
    shard.subscriber.add(interest.pubSubChannel);
  }

  private wait(interest: Interest): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = new Waiting(Date.now() + this.settings.commandTimeout, resolve, reject, interest);
      interest.waiting.add(waiting);
      this.waiting.add(waiting);
    });
  }

  private settle(interest: Interest, waiting: Waiting): Waiting {
    interest.waiting.delete(waiting);
    this.waiting.delete(waiting);
    return waiting;
  }
}
