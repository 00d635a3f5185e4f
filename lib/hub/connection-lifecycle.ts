import { Logger } from '@nestjs/common';
import type { ChannelRegistry } from './channel-registry';
import type { Connection } from './connection';
import type { ConnectionRegistry } from './connection-registry';
import { describeError } from './describe-error';
import { type DisconnectEvent, type HubHooks, NO_HOOKS } from './hub-hooks';
import { ConnectTimeoutError } from './hub.errors';
import { inTime } from './in-time';
import type { Presence } from './presence';
import type { Subscription } from './subscription';
import type { TokenExpiry } from './token-expiry';

/** Takes connections in and out, and runs what must happen exactly once at the end of each. */
export class ConnectionLifecycle {
  hooks: HubHooks = NO_HOOKS;
  private readonly logger = new Logger('Hub');
  /** Connect handlers under way. */
  private readonly beginning = new Map<Connection, Promise<void>>();
  /** Ends under way: hooks and the removal from presence. */
  private readonly ending = new Set<Promise<void>>();

  constructor(
    private readonly connections: ConnectionRegistry,
    private readonly channels: ChannelRegistry,
    private readonly presence: Presence,
    private readonly expiry: TokenExpiry,
    /** How long the connect handlers of a connection may take, in ms. */
    private readonly connectTimeout: number,
  ) {}

  /**
   * Runs the connect handlers. Its end waits for them, as long as they may take.
   *
   * @throws ConnectTimeoutError, and what a handler refuses with
   */
  begin(connection: Connection): Promise<void> {
    const begun = inTime(this.hooks.connected(connection), this.connectTimeout, () => {
      throw new ConnectTimeoutError(this.connectTimeout);
    });
    const settled = begun.then(
      () => undefined,
      () => undefined,
    );
    this.beginning.set(connection, settled);
    void settled.then(() => this.beginning.delete(connection));
    return begun;
  }

  /** Idempotent. Everything that others can see happens at once; the hooks run on. */
  end(connection: Connection, event: DisconnectEvent): void {
    if (!this.connections.remove(connection)) return;
    this.expiry.unwatch(connection);
    const subscriptions = this.channels.heldBy(connection);
    for (const subscription of subscriptions) this.channels.remove(subscription);
    this.track(this.runEnd(connection, subscriptions, event));
  }

  /** Takes one subscription off. @returns whether it was there */
  unsubscribe(subscription: Subscription): boolean {
    if (!this.channels.remove(subscription)) return false;
    this.track(this.runUnsubscribe(subscription));
    return true;
  }

  /** Resolves when every end that has begun is through. */
  async settled(): Promise<void> {
    while (this.ending.size > 0) await Promise.all(this.ending);
  }

  private async runEnd(connection: Connection, subscriptions: Subscription[], event: DisconnectEvent): Promise<void> {
    await this.beginning.get(connection);
    for (const subscription of subscriptions) await this.runUnsubscribe(subscription, event);
    await this.guard('@OnDisconnect', () => this.hooks.disconnected(connection, event));
  }

  private async runUnsubscribe(subscription: Subscription, event?: DisconnectEvent): Promise<void> {
    const { connection, channel } = subscription;
    await (event ? this.presence.disconnect(subscription, event.code) : this.presence.leave(subscription));
    await this.guard('@OnUnsubscribe', () => this.hooks.unsubscribed(connection, channel.name));
  }

  private track(end: Promise<void>): void {
    this.ending.add(end);
    void end.finally(() => this.ending.delete(end));
  }

  /** A hook that throws is the application's fault and must not keep the rest of the end from happening. */
  private async guard(hook: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.logger.error(`An ${hook} handler failed`, describeError(error));
    }
  }
}
