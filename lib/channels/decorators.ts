import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** What kind of handler a method is. */
export type HandlerKind = 'subscribe' | 'unsubscribe' | 'publish' | 'message' | 'handshake' | 'connect' | 'disconnect';

/** How publications of clients are taken. @publicApi */
export interface SubscribeChannelOptions {
  /** Whether a client must be subscribed to the channel that it publishes to. @default true */
  requireSubscription?: boolean;
  /** Whether the publisher gets its own publication too. @default true */
  echo?: boolean;
}

/** What a handler decorator leaves on its method. */
export interface HandlerMetadata {
  readonly kind: HandlerKind;
  /** The channel pattern, or the message type. */
  readonly pattern: string;
  readonly options: SubscribeChannelOptions;
}

export const HANDLER_METADATA = 'realtime:handler';

/**
 * Handles what clients publish to the channels that match. What the method returns is published as the message's
 * `data`; `undefined` publishes nothing. Declares the channels.
 *
 * @param pattern literal text with `{name}` segments, or a final `*`; the most specific pattern wins
 * @example
 * \@SubscribeChannel('room:{name}')
 * say(\@MessageBody() body: SayDto, \@ConnectedUser() user: User) { return { ...body, author: user.id }; }
 *
 * @publicApi
 */
export function SubscribeChannel(pattern: string, options: SubscribeChannelOptions = {}): CustomDecorator {
  return handler('publish', pattern, options);
}

/**
 * Decides whether a client may subscribe: an exception refuses. What the method returns is the `data` of the
 * `subscribed` reply. Declares the channels.
 *
 * @publicApi
 */
export const OnSubscribe = (pattern: string): CustomDecorator => handler('subscribe', pattern);

/** Runs after a connection has left a channel: by itself, by the server, or by disconnecting. @publicApi */
export const OnUnsubscribe = (pattern: string): CustomDecorator => handler('unsubscribe', pattern);

/**
 * Answers requests: messages of this type without a channel. What the method returns is the `data` of the `ack`.
 *
 * @publicApi
 */
export const OnMessage = (type: string): CustomDecorator => handler('message', type);

/**
 * Runs before the upgrade, with the HTTP request: an `HttpException` is the answer, and no connection comes to be. May
 * return the names of channels to join.
 *
 * @publicApi
 */
export const OnHandshake = (): CustomDecorator => handler('handshake', '');

/**
 * Runs when a client has connected, before its first message is handled; it may be async. An exception ends the
 * connection.
 *
 * @publicApi
 */
export const OnConnect = (): CustomDecorator => handler('connect', '');

/** Runs exactly once after a connection has ended, at shutdown too, and is awaited there. @publicApi */
export const OnDisconnect = (): CustomDecorator => handler('disconnect', '');

function handler(kind: HandlerKind, pattern: string, options: SubscribeChannelOptions = {}): CustomDecorator {
  return SetMetadata<string, HandlerMetadata>(HANDLER_METADATA, { kind, pattern, options });
}
