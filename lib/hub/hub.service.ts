import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { AdapterDelivery, ConnectionTarget, ControlCommand } from '../adapter/hub-adapter';
import type { AnyChannels, ChannelName, MessagesOf, UndeclaredName } from '../protocol/channel-declarations';
import { CloseCode } from '../protocol/close-codes';
import type { ConnectedUser } from '../protocol/connected-user';
import { BroadcastSender } from './broadcast-sender';
import type { HistoryPage, HistoryRequest } from './channel-history';
import { assertCloseFrame } from './close-frame';
import { Connection } from './connection';
import { CustomConnection } from './custom-connection';
import { describeError } from './describe-error';
import type { HubCore } from './hub-core';
import type { ChannelInfo, ClusterStats, ConnectionInfo, HubStats } from './hub-stats';
import type { HubStatus } from './hub-status';
import { assertDirectType, assertOwnType } from './own-type';
import type { PresenceSnapshot } from './presence';
import type { PublishOptions, PublishResult } from './publish.types';
import type { Subscriber } from './subscriber';

/** Who a call is about: all connections of a user, or one connection, on whichever instance. @publicApi */
export type HubTarget = ConnectionTarget;

/**
 * Publishes to channels, users and connections, and tells who is there. Inject it anywhere.
 *
 * What is sent reaches the clients of every instance; what is counted or listed is of this instance, unless it says
 * otherwise.
 *
 * With what is declared for the client, `HubService<AppChannels>` publishes nothing else.
 *
 * @example
 * constructor(private readonly hub: HubService) {}
 * await this.hub.publish('room:lobby', { text: 'hello' }, { type: 'chat' });
 *
 * @publicApi
 */
@Injectable()
export class HubService<Channels extends object = AnyChannels> implements BroadcastSender {
  private readonly logger = new Logger(HubService.name);
  private readonly registered = new Map<Subscriber, CustomConnection>();

  /** @internal */
  constructor(private readonly core: HubCore) {}

  /**
   * Publishes to a channel.
   *
   * Without history: this instance's subscribers get it first, then the others; when the way to them is down the call
   * still resolves, with `delivered: 'local'`. With history: it is stored first and then delivered everywhere in one
   * order; when it cannot be stored the call rejects and nobody gets it.
   *
   * @param channel `[A-Za-z0-9_.:-]`, 1 to 256 characters; it need not be declared
   * @param data anything that JSON can carry
   * @throws HubClosedError, InvalidChannelError, InvalidTypeError, ReservedTypeError, SerializationError; HubBusyError when too much waits for Redis;
   * OversizedPublicationError; with history AdapterUnavailableError, whose `outcome` says whether it may have happened
   * @example await hub.publish('room:lobby', { text: 'hi' }, { type: 'chat', idempotencyKey: order.id });
   */
  publish(channel: UndeclaredName<Channels>, data?: unknown, options?: PublishOptions): Promise<PublishResult>;
  publish<const Name extends ChannelName<Channels>, Type extends keyof MessagesOf<Channels, Name> & string>(
    channel: Name,
    data: MessagesOf<Channels, Name>[Type],
    options: PublishOptions & { type: Type },
  ): Promise<PublishResult>;
  async publish(channel: string, data?: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    this.core.assertOpen('publish');
    this.core.assertChannelName(channel);
    const { type = 'message', from, exclude, idempotencyKey } = options;
    assertOwnType(type);
    const frame = this.core.encode({ type, channel, data, from }, this.core.originOf(channel));
    return this.core.publisher.publish({
      channel,
      frame,
      exclude: typeof exclude === 'string' ? [exclude] : exclude,
      idempotencyKey,
    });
  }

  /**
   * Sends to every connection of every instance, whatever it is subscribed to.
   *
   * @param type what the message is; the types of the protocol are the server's own
   * @param data anything that JSON can carry
   * @throws HubClosedError, InvalidTypeError, ReservedTypeError, SerializationError
   * @example await hub.broadcast('deploy:started', { env: 'production' });
   */
  async broadcast(type: string, data?: unknown): Promise<PublishResult> {
    this.core.assertOpen('broadcast');
    assertOwnType(type);
    return this.core.publisher.broadcast(this.core.encode({ type, data }));
  }

  /**
   * Sends to all connections of a user.
   *
   * @returns `delivered`; whether the user is connected anywhere is not known
   * @throws HubClosedError, InvalidTypeError, ReservedTypeError, SerializationError
   * @example await hub.sendToUser('alice', 'notice', { unread: 3 });
   */
  sendToUser(userId: string, type: string, data?: unknown): Promise<PublishResult> {
    return this.sendTo('sendToUser', { userId }, type, data);
  }

  /**
   * Sends to one connection, on whichever instance it is.
   *
   * @throws HubClosedError, InvalidTypeError, ReservedTypeError, SerializationError
   * @example await hub.sendToConnection(client.id, 'upload:done', { file });
   */
  sendToConnection(connectionId: string, type: string, data?: unknown): Promise<PublishResult> {
    return this.sendTo('sendToConnection', { connectionId }, type, data);
  }

  /**
   * Subscribes connections to a channel from the server's side. No `@OnSubscribe` handler is asked, and the channel
   * need not be declared. The client is told by `subscribed`.
   *
   * @throws HubClosedError, InvalidChannelError, SubscriptionLimitError
   * @example await hub.subscribe({ userId: 'alice' }, 'room:lobby');
   */
  async subscribe(target: HubTarget, channel: string): Promise<PublishResult> {
    this.core.assertOpen('subscribe');
    this.core.assertChannelName(channel);
    const here = this.core.commands.subscribe(target, channel);
    // A user's connections on other instances do not depend on what becomes of those here.
    const [own, others] = await Promise.allSettled([here, this.control({ kind: 'subscribe', target, channel })]);
    if (own.status === 'rejected') throw own.reason;
    if (others.status === 'rejected') throw others.reason;
    return others.value;
  }

  /** Takes connections off a channel. The client is told by `unsubscribed`. @throws HubClosedError */
  async unsubscribe(target: HubTarget, channel: string, options: { reason?: string } = {}): Promise<PublishResult> {
    this.core.assertOpen('unsubscribe');
    const { reason = 'unsubscribed by the server' } = options;
    this.core.commands.unsubscribe(target, channel, reason);
    return this.control({ kind: 'unsubscribe', target, channel, reason });
  }

  /**
   * Ends connections.
   *
   * @param options `code`: the close code, 4503 (final: clients do not come back by themselves) by default; `reason`:
   * at most 123 bytes, the client reads it
   * @throws HubClosedError, RangeError for a code that may not be sent
   * @example await hub.disconnect({ userId: 'mallory' }, { reason: 'account closed' });
   */
  async disconnect(target: HubTarget, options: { code?: number; reason?: string } = {}): Promise<PublishResult> {
    this.core.assertOpen('disconnect');
    const { code = CloseCode.Forbidden, reason = '' } = options;
    assertCloseFrame(code, reason);
    this.core.commands.disconnect(target, code, reason);
    return this.control({ kind: 'disconnect', target, code, reason });
  }

  /**
   * Lets an object of your own take part: it gets broadcasts, and what it is subscribed to with
   * `hub.subscribe({ connectionId })`.
   *
   * @param options `id`: of the connection, a random one by default; `user`: who it belongs to, nobody by default
   * @returns its connection; registering the same object again returns the same one
   * @throws HubClosedError, ConnectionIdTakenError
   * @example
   * const connection = hub.register({ send: ({ text }) => log.write(text), close: () => log.end() });
   * await hub.subscribe({ connectionId: connection.id }, 'room:lobby');
   */
  register(subscriber: Subscriber, options: { id?: string; user?: ConnectedUser } = {}): Connection {
    const existing = this.registered.get(subscriber);
    if (existing) return existing;
    const { id = randomUUID(), user } = options;
    const connection = new CustomConnection(this.core, { id, user }, subscriber, (event) => {
      this.registered.delete(subscriber);
      this.core.lifecycle.end(connection, event);
    });
    this.core.register(connection);
    this.registered.set(subscriber, connection);
    this.core.lifecycle.begin(connection).catch((error: unknown) => {
      this.logger.error('An @OnConnect handler refused a registered subscriber', describeError(error));
      connection.close(CloseCode.ServerError, 'refused');
    });
    return connection;
  }

  /** Takes a registered subscriber out. Idempotent. @returns whether it was there */
  unregister(subscriber: Subscriber): boolean {
    const connection = this.registered.get(subscriber);
    if (!connection) return false;
    this.registered.delete(subscriber);
    connection.detach();
    this.core.lifecycle.end(connection, { code: CloseCode.Normal, reason: '' });
    return true;
  }

  /**
   * Pages through a channel's history.
   *
   * @throws InvalidChannelError, InvalidHistoryLimitError, RealtimeError `not_found` when the channel keeps none
   */
  async history(channel: string, request: HistoryRequest = {}): Promise<HistoryPage> {
    this.core.assertChannelName(channel);
    return this.core.history.page(channel, request);
  }

  /**
   * Forgets a channel's history: clients with older cursors are told that they cannot be continued.
   *
   * @throws HubClosedError, InvalidChannelError
   */
  async clearHistory(channel: string): Promise<void> {
    this.core.assertOpen('clearHistory');
    this.core.assertChannelName(channel);
    await this.core.adapter.clearHistory(channel);
  }

  /** Who is on a channel, over all instances. Empty unless the channel has `presence`. @throws InvalidChannelError */
  async presence(channel: string): Promise<PresenceSnapshot> {
    this.core.assertChannelName(channel);
    return this.core.presence.snapshot(channel);
  }

  /** The connections of this instance, as they are now. */
  connections(): ConnectionInfo[] {
    return [...this.core.connections.values()].map((connection) => ({
      id: connection.id,
      user: connection.user?.id ?? null,
      transport: connection.transport,
      channels: connection.channels,
      connectedAt: connection.connectedAt,
      remoteAddress: connection.handshake.remoteAddress,
    }));
  }

  /** The channels with subscribers on this instance, as they are now. */
  channels(): { name: string; subscribers: number }[] {
    return [...this.core.channels.values()].map(({ name, size }) => ({ name, subscribers: size }));
  }

  /** One channel on this instance; undefined when nobody here is subscribed to it. */
  channelInfo(name: string): ChannelInfo | undefined {
    const channel = this.core.channels.get(name);
    if (!channel) return undefined;
    return { name, subscribers: channel.size, connections: channel.connectionIds() };
  }

  /** Counts of this instance. */
  stats(): HubStats {
    return this.core.snapshotStats();
  }

  /**
   * The instances that are alive, with their counts, and the sums.
   *
   * @throws AdapterUnavailableError while the other instances cannot be asked for
   * @example const { instances, clients } = await hub.clusterStats();
   */
  clusterStats(): Promise<ClusterStats> {
    return this.core.clusterStats();
  }

  /** How the hub and its way to the other instances are now. `nestjs-realtime/health` tells Terminus. */
  status(): HubStatus {
    return this.core.status();
  }

  /**
   * Sends every client away and closes the hub. The application does it by itself when it closes; calling it again, or
   * twice at once, is safe.
   */
  shutdown(): Promise<void> {
    return this.core.shutdown();
  }

  private async sendTo(operation: string, target: HubTarget, type: string, data: unknown): Promise<PublishResult> {
    this.core.assertOpen(operation);
    assertDirectType(type);
    const frame = this.core.encode({ type, data });
    this.core.commands.send(target, frame);
    return this.control({ kind: 'send', target, payload: frame.text });
  }

  private async control(command: ControlCommand): Promise<{ delivered: AdapterDelivery }> {
    return { delivered: await this.core.adapter.control(command) };
  }
}
