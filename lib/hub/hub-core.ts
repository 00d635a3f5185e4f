import type { HubAdapter } from '../adapter/hub-adapter';
import { isChannelName } from '../protocol/channel-name';
import { CloseCode } from '../protocol/close-codes';
import { encodeMessage, type OutboundMessage } from '../protocol/envelope';
import { announcementOrigin } from './announcements';
import { ChannelHistory } from './channel-history';
import { ChannelJoiner, type JoinRequest } from './channel-joiner';
import { ChannelRegistry } from './channel-registry';
import type { ChannelRules } from './channel-settings';
import { clusterStats } from './cluster-stats';
import type { Connection, ConnectionHub } from './connection';
import { ConnectionLifecycle } from './connection-lifecycle';
import { ConnectionRegistry } from './connection-registry';
import { FlushScheduler } from './flush-scheduler';
import { Frame, type FrameOrigin } from './frame';
import { drainHub } from './hub-drain';
import { HubReceiver } from './hub-receiver';
import type { HubSettings } from './hub-settings';
import type { ClusterStats, HubStats } from './hub-stats';
import { type HubState, hubStatus, type HubStatus } from './hub-status';
import {
  ConnectionIdTakenError,
  HubClosedError,
  InvalidChannelError,
  SerializationError,
  SubscriptionLimitError,
} from './hub.errors';
import { LocalCommands } from './local-commands';
import type { OutboxObserver } from './outbox';
import { Presence } from './presence';
import { Publisher } from './publisher';
import { SharedReads } from './shared-reads';
import type { Subscription } from './subscription';
import { TokenExpiry } from './token-expiry';

/**
 * The hub as the rest of the library sees it: its parts, put together. Applications see `HubService`.
 */
export class HubCore implements ConnectionHub {
  state: HubState = 'starting';
  readonly stats: HubStats = { clients: 0, channels: 0, subscribers: 0, published: 0, delivered: 0, dropped: 0, evicted: 0 };
  readonly scheduler = new FlushScheduler();
  readonly expiry = new TokenExpiry();
  readonly connections = new ConnectionRegistry();
  readonly channels: ChannelRegistry;
  readonly publisher: Publisher;
  readonly presence: Presence;
  readonly history: ChannelHistory;
  readonly lifecycle: ConnectionLifecycle;
  readonly commands: LocalCommands;
  /** Counts what outboxes leave out. */
  readonly outboxObserver: OutboxObserver = { onDropped: (frames) => (this.stats.dropped += frames) };
  private readonly joiner: ChannelJoiner;
  private readonly startedAt = new Date().toISOString();
  private closing: Promise<void> | undefined;

  constructor(
    readonly settings: HubSettings,
    readonly rules: ChannelRules,
    readonly adapter: HubAdapter,
  ) {
    this.channels = new ChannelRegistry(rules, adapter, this.scheduler);
    this.publisher = new Publisher(adapter, rules, this.channels, this.connections, this.stats, this.scheduler);
    this.presence = new Presence(adapter, rules, (channel, type, member) => {
      const frame = this.encode({ type, channel, data: member }, announcementOrigin(this.originOf(channel)));
      return this.publisher.publishTransient({ channel, frame, exclude: [member.connectionId] });
    });
    this.history = new ChannelHistory(adapter, rules, settings.envelope);
    this.joiner = new ChannelJoiner(new SharedReads(adapter, settings.recovery));
    this.lifecycle = new ConnectionLifecycle(this.connections, this.channels, this.presence, this.expiry, settings.limits.handshakeTimeout);
    this.commands = new LocalCommands(this, this.connections, this.channels, this.lifecycle, (id, channel) => {
      const connection = this.connections.get(id);
      return connection ? this.subscribe(connection, channel, {}) : Promise.resolve();
    });
  }

  async start(): Promise<void> {
    const { channels, connections, publisher, commands, presence, stats } = this;
    await this.adapter.start(new HubReceiver(channels, connections, publisher, commands, presence, stats, this.settings.envelope));
    // A shutdown may have begun while the adapter was connecting.
    if (this.closing === undefined) this.state = 'running';
  }

  /** @throws HubClosedError, ConnectionIdTakenError */
  register(connection: Connection): void {
    if (this.state === 'draining' || this.state === 'closed') throw new HubClosedError('register');
    if (this.connections.get(connection.id) !== undefined) throw new ConnectionIdTakenError(connection.id);
    this.connections.add(connection);
    this.expiry.watch(connection);
  }

  /** @throws SerializationError */
  encode(message: OutboundMessage, origin?: FrameOrigin): Frame {
    let json: string;
    try {
      json = encodeMessage(message, this.settings.envelope);
    } catch (error) {
      throw new SerializationError(message.type, message.channel, error);
    }
    return Frame.fromText(json, origin);
  }

  /** @throws InvalidChannelError */
  assertChannelName(channel: unknown): asserts channel is string {
    const { channelNameLength } = this.settings.limits;
    if (!isChannelName(channel, channelNameLength)) throw new InvalidChannelError(channel, channelNameLength);
  }

  /** @throws HubClosedError */
  assertOpen(operation: string): void {
    if (this.state === 'closed') throw new HubClosedError(operation);
  }

  /**
   * Subscribes a connection and sends it `subscribed` and what it missed. Idempotent.
   *
   * @returns false when it was held, and was taken off before this could be answered: the server may have meant it, so it is
   * not begun anew without asking who may subscribe
   * @throws InvalidChannelError, SubscriptionLimitError
   */
  async subscribe(connection: Connection, channel: string, request: JoinRequest): Promise<boolean> {
    this.assertChannelName(channel);
    const held = this.channels.find(connection, channel);
    if (held) {
      while (held.joined) await held.joined;
      if (!held.active) return false;
      if (this.joiner.canJoinAgain(held, request)) await this.join(held, request);
      else this.joiner.answerAgain(held, request);
      return true;
    }
    if (!this.connections.has(connection)) return false;

    const { subscriptionsPerConnection } = this.settings.limits;
    if (connection.subscriptions.size >= subscriptionsPerConnection) {
      throw new SubscriptionLimitError(connection.id, subscriptionsPerConnection);
    }
    const subscription = this.channels.add(connection, channel);
    if (await this.join(subscription, request)) await this.presence.join(subscription);
    return true;
  }

  /** @returns false when it failed after its answer: the subscriber has been told that it is off again */
  private async join(subscription: Subscription, request: JoinRequest): Promise<boolean> {
    subscription.joined = this.joiner.join(subscription, request);
    try {
      await subscription.joined;
    } catch (error) {
      this.abandon(subscription);
      // A second answer would have the client subscribe twice, and the second time it could not be continued.
      if (subscription.answered) return false;
      throw error;
    }
    subscription.joined = undefined;
    return true;
  }

  /** @returns whether the connection was subscribed */
  unsubscribe(connection: Connection, channel: string): boolean {
    const subscription = this.channels.find(connection, channel);
    return subscription !== undefined && this.lifecycle.unsubscribe(subscription);
  }

  /** The frames of a channel's publications carry this, for the policy on slow consumers. */
  originOf(channel: string): FrameOrigin {
    return this.channels.get(channel)?.origin ?? { channel, policy: this.rules.for(channel).policy };
  }

  snapshotStats(): HubStats {
    return {
      ...this.stats,
      clients: this.connections.size,
      channels: this.channels.size,
      subscribers: this.channels.subscriptions,
    };
  }

  /** @throws AdapterUnavailableError */
  async clusterStats(): Promise<ClusterStats> {
    const alive = await this.adapter.instances();
    const { settings, startedAt } = this;
    return clusterStats({ id: settings.instanceId, startedAt, counts: this.snapshotStats() }, alive);
  }

  status(): HubStatus {
    return hubStatus(this.state, this.adapter.name, this.adapter.status());
  }

  /** Drains and closes; the adapter is stopped separately, last of all. Every call gets the same promise. */
  shutdown(): Promise<void> {
    return (this.closing ??= this.close());
  }

  /** Its join has failed. Who was told of the subscription by then must not go on believing in it. */
  private abandon(subscription: Subscription): void {
    const { connection, channel, position } = subscription;
    if (!this.lifecycle.unsubscribe(subscription) || position === undefined) return;
    const data = { code: CloseCode.StateLost, reason: 'the history could not be read to the end' };
    connection.sendMessage({ type: 'unsubscribed', channel: channel.name, data });
  }

  private async close(): Promise<void> {
    this.state = 'draining';
    const { timeout } = this.settings.shutdown;
    const drained = drainHub(this.connections, this.lifecycle, this.settings.shutdown);
    await withTimeout(Promise.all([this.presence.drain(), drained]), timeout);
    this.expiry.stop();
    this.publisher.close();
    this.state = 'closed';
  }
}

/** Waits for `work`, but no longer than `ms`. Unlike `inTime` it keeps the process alive, which is not to end while draining. */
async function withTimeout(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
