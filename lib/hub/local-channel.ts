import type { Position } from '../protocol/cursor';
import type { ChannelSettings } from './channel-settings';
import type { Frame, FrameOrigin } from './frame';
import type { Subscription } from './subscription';

/** A channel as one instance sees it: its local subscribers. It exists as long as it has any. */
export class LocalChannel {
  /** A list, not a set: fan-out walks it for every publication. */
  private readonly subscribers: Subscription[] = [];
  /** Shared by the frames of all publications on this channel. */
  readonly origin: FrameOrigin;
  /** Resolves once the adapter delivers this channel's publications to this instance. */
  interest: Promise<void> | undefined;

  constructor(
    readonly name: string,
    readonly settings: ChannelSettings,
  ) {
    this.origin = { channel: name, policy: settings.policy };
  }

  get size(): number {
    return this.subscribers.length;
  }

  add(subscription: Subscription): void {
    subscription.index = this.subscribers.push(subscription) - 1;
  }

  /** Removes in constant time: the last one takes the place of the one that leaves. */
  remove(subscription: Subscription): boolean {
    const { index } = subscription;
    if (index === -1) return false;
    const last = this.subscribers.pop()!;
    if (last !== subscription) {
      this.subscribers[index] = last;
      last.index = index;
    }
    subscription.index = -1;
    return true;
  }

  /**
   * Gives a frame to every subscriber.
   *
   * @param exclude ids of connections that must not get it
   * @returns how many subscribers accepted it
   */
  fanOut(frame: Frame, position?: Position, exclude?: readonly string[]): number {
    const { subscribers } = this;
    let delivered = 0;
    // From the end, because a subscriber that is evicted on the way gives its place to the last one.
    for (let i = subscribers.length - 1; i >= 0; i--) {
      const subscription = subscribers[i]!;
      if (exclude !== undefined && exclude.includes(subscription.connection.id)) continue;
      if (subscription.deliver(frame, position)) delivered++;
    }
    return delivered;
  }

  connections(): Subscription['connection'][] {
    return this.subscribers.map((subscription) => subscription.connection);
  }
}
