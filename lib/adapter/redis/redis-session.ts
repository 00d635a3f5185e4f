import type { AdapterContext } from '../adapter-factory';
import type { AdapterReceiver, AdapterStatus } from '../hub-adapter';
import { ClusterTopology } from './connection/cluster-topology';
import type { ConnectionSource } from './connection/connection-source';
import { RedisCommands } from './connection/redis-commands';
import { SelfProbe } from './connection/self-probe';
import { Signal } from './connection/signal';
import { SingleTopology, type Topology, type TopologyEvents } from './connection/topology';
import { RedisHistory } from './history/redis-history';
import { Interests } from './live/interest';
import { LiveChannels } from './live/live-channels';
import { InstanceRegister } from './presence/instance-register';
import { RedisPresence } from './presence/redis-presence';
import { QueueBudget } from './publish-queue';
import type { RedisAdapterSettings } from './redis-adapter.settings';
import { RedisIdempotencyKeys } from './redis-idempotency-keys';
import { RedisInbox } from './redis-inbox';
import { RedisNames } from './redis-names';
import { RedisPublisher } from './redis-publisher';
import { envelopeStart } from './wire-envelope';

const DRAIN_PAUSE = 10;

/** Everything that an adapter has while it runs, put together. */
export class RedisSession {
  readonly names: RedisNames;
  readonly interests: Interests;
  readonly publisher: RedisPublisher;
  readonly history: RedisHistory;
  readonly live: LiveChannels;
  readonly keys: RedisIdempotencyKeys;
  readonly presence: RedisPresence;
  readonly register: InstanceRegister;
  private readonly topology: Topology;
  private readonly commands: RedisCommands;
  private readonly inbox: RedisInbox;
  private readonly probe: SelfProbe;
  private readonly budget: QueueBudget;
  private readonly changed = new Signal();
  private ready = false;
  private stopping = false;

  constructor(
    { instanceId, typeField = 'type' }: AdapterContext,
    private readonly settings: RedisAdapterSettings,
    source: ConnectionSource,
    receiver: AdapterReceiver,
  ) {
    const { prefix, naming, commandTimeout, positionTtl, maxMessageBytes } = settings;
    this.names = new RedisNames(prefix, naming);
    this.topology = this.createTopology(source);
    const commands = (this.commands = new RedisCommands(this.topology, this.changed, commandTimeout));
    this.budget = new QueueBudget(settings);
    this.interests = new Interests(this.topology, settings);
    this.publisher = new RedisPublisher(instanceId, commands, this.topology, this.budget, maxMessageBytes);
    this.history = new RedisHistory(commands, this.topology, this.names, this.budget, envelopeStart(instanceId), positionTtl);
    this.live = new LiveChannels(this.history, receiver, () => this.interests.values());
    this.keys = new RedisIdempotencyKeys(commands, this.names);
    this.presence = new RedisPresence(commands, this.names, receiver, () => this.register.owner);
    this.register = new InstanceRegister(instanceId, commands, this.names, this.presence, receiver, settings.instances);
    this.inbox = new RedisInbox(instanceId, this.names, receiver, this.interests, this.live, { maxMessageBytes, typeField });
    this.probe = new SelfProbe(instanceId, this.names, this.topology, settings.probe);
  }

  /** @throws RedisUnreachableError */
  async start(): Promise<void> {
    await this.topology.start(this.settings.lazy);
    this.probe.start();
    this.live.start(this.settings.positionCheckInterval);
    // No channel can have such a name.
    const listening = Promise.all([this.names.broadcast, this.names.control].map((name) => this.interests.take(`\n${name}`, name)));
    const registered = this.register.start();
    if (this.settings.lazy) {
      listening.catch(() => undefined);
      return;
    }
    try {
      await Promise.all([listening, registered]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Lets what is being published get out, within its time; then closes everything. */
  async stop(): Promise<void> {
    this.stopping = true;
    const deadline = Date.now() + this.settings.publishTimeout;
    while (this.budget.waiting > 0 && Date.now() < deadline) await this.changed.wait(DRAIN_PAUSE);
    this.live.stop();
    this.probe.stop();
    await this.register.stop();
    this.publisher.close();
    this.history.close();
    this.commands.close();
    this.topology.stop();
    this.interests.close();
    this.changed.fire();
  }

  status(): AdapterStatus {
    const reason = this.notReadyBecause();
    const { figures } = this.inbox;
    return {
      ready: reason === undefined,
      ...(reason !== undefined && { reason }),
      figures: {
        ...figures,
        ...this.live.figures,
        channels: this.interests.size,
        waiting: this.budget.waiting,
        waitingBytes: this.budget.waitingBytes,
        busy: this.budget.refused,
        undelivered: this.publisher.failed,
        connections: this.topology.shards().length * 2,
      },
    };
  }

  private notReadyBecause(): string | undefined {
    if (this.stopping) return 'stopped';
    const shards = this.topology.shards();
    if (shards.length === 0) return 'no node of the cluster is known';
    const away = shards.find(({ ready }) => !ready);
    return away ? `no connection to Redis at ${away.id}` : this.probe.failure;
  }

  private createTopology(source: ConnectionSource): Topology {
    const events: TopologyEvents = {
      onMessage: (channel, message) => {
        if (!this.probe.onMessage(channel)) this.inbox.onMessage(channel, message);
      },
      onSubscribed: (channels) => {
        this.probe.onSubscribed(channels);
        this.live.onSubscribed(this.interests.onSubscribed(channels));
      },
      onRefused: (channels, error) => this.interests.onRefused(channels, error),
      onMoved: () => this.topology.refresh(),
      onRouted: () => {
        this.interests.reroute();
        this.probe.route();
      },
      onStatus: () => this.onStatus(),
    };
    const { cluster } = source;
    if (cluster) return new ClusterTopology({ ...source, cluster, open: (...args) => source.open(...args) }, events, this.changed);
    return new SingleTopology(source, events, this.changed);
  }

  private onStatus(): void {
    const shards = this.topology.shards();
    for (const shard of shards) {
      if (shard.subscriber.ready) continue;
      this.interests.onLost(shard);
      this.probe.onLost(shard);
    }
    const ready = shards.length > 0 && shards.every((shard) => shard.ready);
    if (ready && !this.ready) this.live.onReady();
    this.ready = ready;
  }
}
