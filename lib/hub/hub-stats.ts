/**
 * Counts of one instance, not of the cluster. Counters run from the start of the process.
 *
 * @publicApi
 */
export interface HubStats {
  /** Connections now. */
  clients: number;
  /** Channels with a subscriber on this instance now. */
  channels: number;
  /** Subscriptions now, over all channels. */
  subscribers: number;
  /** Publications and broadcasts sent by this instance. */
  published: number;
  /** Frames handed to connections. */
  delivered: number;
  /** Frames that slow connections did not get. */
  dropped: number;
  /** Connections ended for reading too slowly. */
  evicted: number;
}

/**
 * Counts that an instance tells the others.
 *
 * @publicApi
 */
export type InstanceCounts = Readonly<Record<'clients' | 'channels' | 'subscribers', number>>;

/** One instance of the cluster. @publicApi */
export interface InstanceStats extends InstanceCounts {
  /** 32 hex digits, new with each start. */
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Whether it is the one that was asked. */
  readonly self: boolean;
}

/**
 * Counts over all instances that are alive. Those of the others are as old as their last heartbeat, 2.5 s at most with
 * Redis as it is by default; an instance that was killed is among them until it is taken for dead, 10 s later.
 *
 * @publicApi
 */
export interface ClusterStats {
  /** By their start; the oldest first. */
  readonly instances: readonly InstanceStats[];
  /** Connections of all instances. */
  readonly clients: number;
  /** Subscriptions of all instances. Channels are not summed: several instances may have the same. */
  readonly subscribers: number;
}

/** A channel with subscribers on this instance. @publicApi */
export interface ChannelInfo {
  name: string;
  /** Connections of this instance that are subscribed. */
  subscribers: number;
  /** Their ids. */
  connections: string[];
}

/** A connection of this instance. @publicApi */
export interface ConnectionInfo {
  id: string;
  /** The user's id; null without authentication. */
  user: string | null;
  transport: string;
  channels: string[];
  /** ms since the epoch. */
  connectedAt: number;
  remoteAddress: string;
}
