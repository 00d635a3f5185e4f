import type { RealtimeError } from '../protocol/errors';
import type { Channel } from './channel';
import type { MessageContext, SubscribedContext } from './channel.types';
import type { StateChange } from './connection-state';

/** What happens to a client. @publicApi */
export interface ClientEvents {
  state: StateChange;
  /** A direct message or a broadcast; what is published on a channel comes to the channel. */
  message: [data: unknown, context: MessageContext];
  /** A subscription was accepted, or the server joined a channel for us: `context.byServer`. */
  subscribed: [channel: Channel, context: SubscribedContext<unknown>];
  /** Something failed that nobody awaits. */
  error: [error: RealtimeError];
}

/** Tells the application. */
export type ClientEmit = <E extends keyof ClientEvents>(event: E, ...args: ClientEvents[E]) => void;
