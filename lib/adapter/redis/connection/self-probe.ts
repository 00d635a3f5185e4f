import { Logger } from '@nestjs/common';
import type { RedisNames } from '../redis-names';
import { withDeadline } from './deadline';
import type { RedisShard } from './redis-shard';
import type { Topology } from './topology';

export interface ProbeSettings {
  readonly interval: number;
  readonly timeout: number;
}

/** Where a shard hears itself. */
interface Probe {
  readonly channel: string;
  /** Whether Redis has confirmed the subscription on the connection of now. */
  confirmed: boolean;
  /** How often in a row it was not. */
  unconfirmed: number;
  heard: (() => void) | undefined;
  /** Why the last attempt failed; undefined when it did not. */
  failure: string | undefined;
  running: boolean;
}

/** Names tried until one falls into a shard's slots: enough for any cluster, even one with a slot on a node. */
const MAX_ATTEMPTS = 100_000;
/** Ticks that a subscription may take. */
const MAX_UNCONFIRMED = 2;

/**
 * Proves that messages get through: sends one to this instance itself over each shard, and expects to hear it. A
 * connection that looks alive and is not is made anew.
 */
export class SelfProbe {
  private readonly logger = new Logger('RedisAdapter');
  private readonly probes = new Map<RedisShard, Probe>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly instanceId: string,
    private readonly names: RedisNames,
    private readonly topology: Topology,
    private readonly settings: ProbeSettings,
  ) {}

  /** Why an instance must be taken for cut off; undefined while everything gets through. */
  get failure(): string | undefined {
    for (const { failure } of this.probes.values()) {
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  start(): void {
    this.route();
    this.timer = setInterval(() => this.tick(), this.settings.interval).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.probes.clear();
  }

  /** Gives every shard a channel that it has the slot of. */
  route(): void {
    const shards = new Set(this.topology.shards());
    for (const [shard, { channel }] of this.probes) {
      if (shards.has(shard) && this.topology.shardFor(channel) === shard) continue;
      shard.subscriber.remove(channel);
      this.probes.delete(shard);
    }
    for (const shard of shards) {
      if (this.probes.has(shard)) continue;
      const channel = this.channelOf(shard);
      if (channel === undefined) continue;
      this.probes.set(shard, { channel, confirmed: false, unconfirmed: 0, heard: undefined, failure: undefined, running: false });
      shard.subscriber.add(channel);
    }
  }

  onSubscribed(channels: readonly string[]): void {
    for (const [shard, probe] of this.probes) {
      if (!channels.includes(probe.channel)) continue;
      probe.confirmed = true;
      probe.unconfirmed = 0;
      // After a failure nobody believes in the connection before it is proven again.
      if (probe.failure !== undefined && !probe.running) void this.run(shard, probe);
    }
  }

  /** The shard's listening connection is gone. */
  onLost(shard: RedisShard): void {
    const probe = this.probes.get(shard);
    if (probe) probe.confirmed = false;
  }

  /** @returns whether the message was a probe */
  onMessage(channel: string): boolean {
    for (const probe of this.probes.values()) {
      if (probe.channel !== channel) continue;
      probe.heard?.();
      return true;
    }
    return false;
  }

  private tick(): void {
    for (const [shard, probe] of this.probes) {
      shard.watch(Date.now(), this.settings.interval + this.settings.timeout);
      if (probe.running || !shard.ready) continue;
      if (probe.confirmed) void this.run(shard, probe);
      else this.onUnconfirmed(shard, probe);
    }
  }

  private onUnconfirmed(shard: RedisShard, probe: Probe): void {
    probe.unconfirmed++;
    if (probe.unconfirmed < MAX_UNCONFIRMED) return;
    probe.unconfirmed = 0;
    probe.failure = 'a subscription is not confirmed';
    this.logger.warn(`Redis at ${shard.id}: ${probe.failure}; connecting anew`);
    shard.resetSubscriber();
  }

  private async run(shard: RedisShard, probe: Probe): Promise<void> {
    probe.running = true;
    try {
      probe.failure = await this.try(shard, probe);
    } finally {
      probe.running = false;
      probe.heard = undefined;
    }
    if (probe.failure !== undefined) this.logger.warn(`Redis at ${shard.id}: ${probe.failure}`);
  }

  private async try(shard: RedisShard, probe: Probe): Promise<string | undefined> {
    const { timeout } = this.settings;
    const heard = new Promise<void>((resolve) => (probe.heard = resolve));
    const verb = this.topology.sharded ? 'SPUBLISH' : 'PUBLISH';
    try {
      const published = shard.commands.callBuffer(verb, [probe.channel, 'probe']);
      await withDeadline(published, timeout, () => new Error('no answer'));
    } catch (error) {
      // The connection has gone by itself, or is asked for a slot that has moved: neither is for the probe to mend.
      if (!shard.ready || (error as Error).name === 'ReplyError') return `the message to itself was not taken (${String(error)})`;
      shard.resetCommands();
      return 'it does not answer commands';
    }
    try {
      await withDeadline(heard, timeout, () => new Error('not heard'));
      return undefined;
    } catch {
      shard.resetSubscriber();
      return 'a message of this instance to itself did not arrive';
    }
  }

  private channelOf(shard: RedisShard): string | undefined {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const channel = this.names.probe(this.instanceId, attempt);
      if (this.topology.shardFor(channel) === shard) return channel;
    }
    return undefined;
  }
}
