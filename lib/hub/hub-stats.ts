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
