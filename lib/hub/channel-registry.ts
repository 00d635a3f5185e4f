import type { HubAdapter } from '../adapter/hub-adapter';
import type { ChannelRules } from './channel-settings';
import type { Connection } from './connection';
import type { FlushScheduler } from './flush-scheduler';
import { LocalChannel } from './local-channel';
import { Subscription } from './subscription';

/** The channels with subscribers on this instance. A channel appears with its first subscriber and goes with its last. */
export class ChannelRegistry {
  private readonly channels = new Map<string, LocalChannel>();
  private total = 0;

  constructor(
    private readonly rules: ChannelRules,
    private readonly adapter: HubAdapter,
    private readonly scheduler: FlushScheduler,
  ) {}

  get size(): number {
    return this.channels.size;
  }

  /** Subscriptions over all channels. */
  get subscriptions(): number {
    return this.total;
  }

  get(name: string): LocalChannel | undefined {
    return this.channels.get(name);
  }

  values(): IterableIterator<LocalChannel> {
    return this.channels.values();
  }

  /** A connection's subscription to a channel. */
  find(connection: Connection, name: string): Subscription | undefined {
    return connection.subscriptions.get(name) as Subscription | undefined;
  }

  /** All subscriptions of a connection. */
  heldBy(connection: Connection): Subscription[] {
    return [...connection.subscriptions.values()] as Subscription[];
  }

  add(connection: Connection, name: string): Subscription {
    const channel = this.channels.get(name) ?? this.open(name);
    const subscription = new Subscription(connection, channel);
    channel.add(subscription);
    connection.subscriptions.set(name, subscription);
    this.total++;
    return subscription;
  }

  /** @returns whether it was there */
  remove(subscription: Subscription): boolean {
    const { channel, connection } = subscription;
    if (!channel.remove(subscription)) return false;
    this.total--;
    if (connection.subscriptions.get(channel.name) === subscription) connection.subscriptions.delete(channel.name);
    if (channel.size === 0) this.close(channel);
    return true;
  }

  private open(name: string): LocalChannel {
    const channel = new LocalChannel(name, this.rules.for(name), this.scheduler);
    this.channels.set(name, channel);
    channel.interest = this.adapter.subscribe(name);
    // Each join awaits it and reports the failure; without one waiting, it must not become an unhandled rejection.
    channel.interest.catch(() => undefined);
    return channel;
  }

  private close(channel: LocalChannel): void {
    this.channels.delete(channel.name);
    this.adapter.unsubscribe(channel.name);
  }
}
