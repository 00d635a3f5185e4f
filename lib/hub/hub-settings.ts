import type { ReadBounds } from '../adapter/hub-adapter';
import type { EnvelopeFields } from '../protocol/envelope';
import type { OutboxLimits } from './outbox';

/** Bounds that the hub keeps. */
export interface HubLimits extends OutboxLimits {
  readonly subscriptionsPerConnection: number;
  readonly channelNameLength: number;
  readonly connections: number;
  readonly connectionsPerUser: number;
  /** How long it may take to decide about a client: guards and handshake handlers, connect handlers, a new token; each in ms. */
  readonly handshakeTimeout: number;
}

/** How the hub ends. */
export interface ShutdownSettings {
  /** Longest time a shutdown takes, in ms: what is not done by then is cut off. */
  readonly timeout: number;
  /** Clients are advised to reconnect at a random time up to this many ms later. */
  readonly reconnectSpread: number;
}

/** What the hub needs to know of the module's options. */
export interface HubSettings {
  /** 32 hex digits that name this instance among all. */
  readonly instanceId: string;
  readonly envelope: EnvelopeFields;
  readonly limits: HubLimits;
  readonly shutdown: ShutdownSettings;
  /** What one subscriber gets of a history when it joins. */
  readonly recovery: ReadBounds;
}
