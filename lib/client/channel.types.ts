import type { RealtimeError } from '../protocol/errors';
import type { ChannelDeclaration, InfoOf, SubscribedDataOf } from '../protocol/channel-declarations';

/** What comes with a message. @publicApi */
export interface MessageContext<Type extends string = string> {
  readonly type: Type;
  /** Who published it: a user's id, else a connection's. Set by the server. */
  readonly from?: string;
  /** Its place in a recoverable channel. */
  readonly cursor?: string;
  /** When the server took it, ISO 8601 UTC. */
  readonly timestamp?: string;
}

/** A message with its context in one object: tells its type by `type`. @publicApi */
export type ReceivedMessage<Messages> = {
  [Type in keyof Messages & string]: MessageContext<Type> & { readonly data: Messages[Type] };
}[keyof Messages & string];

/** The arguments of a `message` listener. @publicApi */
export type MessageArguments<Messages> = {
  [Type in keyof Messages & string]: [message: Messages[Type], context: MessageContext<Type>];
}[keyof Messages & string];

/** Where a subscription begins. @publicApi */
export interface SubscribeOptions {
  /** Continue from here, in place of the position that the client knows. */
  cursor?: string;
  /** Begin with the last N publications. Of no effect when the client has a position to continue from. */
  replay?: number;
}

/** What the server says to a subscription. @publicApi */
export interface SubscribedContext<Data> {
  /** What the `@OnSubscribe` handler returned. */
  readonly data: Data;
  /** Whether the channel keeps a history. */
  readonly recoverable: boolean;
  /**
   * When there was a position to continue from: true if nothing was missed (what was, follows), false if something may
   * have been; a `reset` follows then.
   */
  readonly recovered?: boolean;
  readonly cursor?: string;
  /** The channel had been subscribed before, on a connection that was lost. */
  readonly resubscribed: boolean;
  /** The server joined the channel without being asked. */
  readonly byServer: boolean;
}

/** Why a subscription has ended. @publicApi */
export interface UnsubscribedContext {
  /** The server's code, when it ended the subscription. */
  readonly code?: number;
  readonly reason: string;
  /** Why, unless the application did it. */
  readonly error?: RealtimeError;
}

/** Continuity was lost: publications may be missing. Read the state again. @publicApi */
export interface ResetContext {
  /** `server`: the server lost track. `resubscribe`: what was missed while disconnected is no longer to be had. */
  readonly by: 'server' | 'resubscribe';
  /** From here it continues. */
  readonly cursor?: string;
}

/** One connection on a channel. @publicApi */
export interface PresenceMember<Info = unknown> {
  readonly connectionId: string;
  /** The user's id; null for an anonymous connection. */
  readonly user: string | null;
  readonly info: Info;
}

/** Who is on a channel. @publicApi */
export interface PresenceSnapshot<Info = unknown> {
  readonly members: PresenceMember<Info>[];
  /** Connections. */
  readonly count: number;
  /** Different users; each anonymous connection counts as one. */
  readonly users: number;
}

/** Which page of the history. @publicApi */
export interface HistoryOptions {
  /** At most so many publications. */
  limit?: number;
  /** After (in reverse: before) this cursor. */
  after?: string;
  /** Newest first. */
  reverse?: boolean;
}

/** A page of a channel's history. @publicApi */
export interface HistoryPage<Messages> {
  readonly publications: ReceivedMessage<Messages>[];
  /** Where the channel stands. */
  readonly cursor: string;
  /** Whether the page reaches the end in its direction, with nothing lost between. */
  readonly complete: boolean;
}

/** How a publication is sent. @publicApi */
export interface PublishOptions {
  /** Milliseconds to wait for the answer once sent. @default the client's `timeout` */
  timeout?: number;
  /** Within 5 minutes, a second publication with the same key publishes nothing. @default a key of the client's own */
  idempotencyKey?: string;
}

/** The server has taken a publication. @publicApi */
export interface PublishAck {
  /** Its place in a recoverable channel. */
  readonly cursor?: string;
  readonly data?: unknown;
  readonly timestamp?: string;
}

/** What happens on a channel. @publicApi */
export interface ChannelEvents<Declaration extends ChannelDeclaration> {
  /** A publication, each once and in order. */
  message: MessageArguments<Declaration['messages']>;
  /** The server has accepted the subscription; also after every reconnection. */
  subscribed: [context: SubscribedContext<SubscribedDataOf<Declaration>>];
  /** The subscription has ended, and no other follows by itself. */
  unsubscribed: [context: UnsubscribedContext];
  reset: [context: ResetContext];
  join: [member: PresenceMember<InfoOf<Declaration>>];
  leave: [member: PresenceMember<InfoOf<Declaration>>];
  /** The list of members has changed, a copy that stays as it is; only once `presence()` has been called. */
  presence: [members: readonly PresenceMember<InfoOf<Declaration>>[]];
  /** Something about the channel failed that nobody awaits. */
  error: [error: RealtimeError];
}
