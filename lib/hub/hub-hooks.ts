import type { Connection } from './connection';

/** How a connection ended. @publicApi */
export interface DisconnectEvent {
  /** The close code; 1006 when the peer vanished without one. */
  readonly code: number;
  readonly reason: string;
}

/** What the layers above the hub are told. Set once, by the module. */
export interface HubHooks {
  connected(connection: Connection): Promise<void>;
  disconnected(connection: Connection, event: DisconnectEvent): Promise<void>;
  unsubscribed(connection: Connection, channel: string): Promise<void>;
  /** Resolves when no handler is running any more. */
  idle(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

export const NO_HOOKS: HubHooks = { connected: nothing, disconnected: nothing, unsubscribed: nothing, idle: nothing };
