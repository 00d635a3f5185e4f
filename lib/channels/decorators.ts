import { ENTRY_PROVIDER_WATERMARK } from '@nestjs/common/constants';

/** What kind of handler a method is. */
export type HandlerKind = 'subscribe' | 'unsubscribe' | 'publish' | 'message' | 'handshake' | 'connect' | 'disconnect';

/** How publications of clients are taken. @publicApi */
export interface SubscribeChannelOptions {
  /** Whether a client must be subscribed to the channel that it publishes to. @default true */
  requireSubscription?: boolean;
  /** Whether the publisher gets its own publication too. @default true */
  echo?: boolean;
}

/** What a handler decorator leaves on its method; a method may have several. */
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
 * @param options see `SubscribeChannelOptions`
 * @throws ChannelPatternError at the application's start, and DuplicatePatternError for a second handler of its pattern
 * @example
 * \@SubscribeChannel('room:{name}')
 * say(\@MessageBody() body: SayDto, \@ConnectedUser() user: User) { return { ...body, author: user.id }; }
 *
 * @publicApi
 */
export function SubscribeChannel(pattern: string, options: SubscribeChannelOptions = {}): MethodDecorator {
  return handler('publish', pattern, options);
}

/**
 * Decides whether a client may subscribe: an exception refuses. What the method returns is the `data` of the
 * `subscribed` reply. Declares the channels.
 *
 * @param pattern as of `SubscribeChannel`
 * @example
 * \@OnSubscribe('room:{name}')
 * async join(\@ChannelParam('name') name: string, \@ConnectedUser() user: RealtimeUser) {
 *   if (!(await this.rooms.isMember(name, user.id))) throw new ForbiddenException();
 *   return this.rooms.snapshot(name);
 * }
 *
 * @publicApi
 */
export const OnSubscribe = (pattern: string): MethodDecorator => handler('subscribe', pattern);

/**
 * Runs after a connection has left a channel: by itself, by the server, or by disconnecting. What it throws is logged.
 *
 * @param pattern as of `SubscribeChannel`
 * @publicApi
 */
export const OnUnsubscribe = (pattern: string): MethodDecorator => handler('unsubscribe', pattern);

/**
 * Answers requests: messages of this type without a channel. What the method returns is the `data` of the `ack`.
 *
 * @param type of the message; the application's start throws DuplicateMessageTypeError for a second handler of it, and
 * ReservedMessageTypeError for one of the protocol's own
 * @example
 * \@OnMessage('quote')
 * quote(\@MessageBody() { symbol }: QuoteDto) { return this.market.quote(symbol); }
 *
 * @publicApi
 */
export const OnMessage = (type: string): MethodDecorator => handler('message', type);

/**
 * Runs before the upgrade, with the HTTP request: an `HttpException` is the answer, and no connection comes to be. May
 * return the names of channels to join.
 *
 * @example
 * \@OnHandshake()
 * join(\@HandshakeQuery() { contractId }: EventsQuery) { return [`contract:${contractId}`]; }
 *
 * @publicApi
 */
export const OnHandshake = (): MethodDecorator => handler('handshake', '');

/**
 * Runs when a client has connected, before its first message is handled; it may be async. An exception ends the
 * connection; so does one that takes longer than `limits.handshakeTimeout`, with 1011.
 *
 * @example
 * \@OnConnect()
 * greet(\@ConnectedClient() client: Connection) { client.info = { name: client.handshake.query.name }; }
 *
 * @publicApi
 */
export const OnConnect = (): MethodDecorator => handler('connect', '');

/** Runs exactly once after a connection has ended, at shutdown too, and is awaited there. @publicApi */
export const OnDisconnect = (): MethodDecorator => handler('disconnect', '');

function handler(kind: HandlerKind, pattern: string, options: SubscribeChannelOptions = {}): MethodDecorator {
  return (target, _, descriptor) => {
    const method = descriptor.value as object;
    const others = (Reflect.getMetadata(HANDLER_METADATA, method) ?? []) as HandlerMetadata[];
    Reflect.defineMetadata(HANDLER_METADATA, [...others, { kind, pattern, options }], method);
    // Nest gives request-scoped global guards, pipes, interceptors and filters to controllers and to the providers that
    // say that calls from outside enter there, as its gateways do. Any other would be called without them.
    Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target.constructor);
  };
}
