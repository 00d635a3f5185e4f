import { channelNameRule } from '../protocol/channel-name';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import { quoteName } from './describe-error';

/** The hub has been shut down, or is about to be. @publicApi */
export class HubClosedError extends RealtimeError {
  override name = 'HubClosedError';

  constructor(readonly operation: string) {
    super(
      ErrorCode.Unavailable,
      `hub.${operation}() was called after the hub was shut down. Stop the callers before the application closes.`,
    );
  }
}

/** A payload has no JSON form. Thrown to whoever published it; nothing was sent. @publicApi */
export class SerializationError extends RealtimeError {
  override name = 'SerializationError';

  constructor(
    readonly type: string,
    readonly channel: string | undefined,
    cause: unknown,
  ) {
    const where = channel === undefined ? '' : ` on channel ${JSON.stringify(channel)}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      ErrorCode.Internal,
      `The data of ${quoteName(type)}${where} cannot be serialised as JSON (${why}). ` +
        'Publish plain data: no cycles, BigInts or functions.',
    );
    this.cause = cause;
  }
}

/** A channel's name breaks the rules. @publicApi */
export class InvalidChannelError extends RealtimeError {
  override name = 'InvalidChannelError';

  constructor(
    readonly channel: unknown,
    maxLength: number,
  ) {
    super(ErrorCode.InvalidChannel, `${channelProblem(channel)}: ${channelNameRule(maxLength)}`);
  }
}

function channelProblem(channel: unknown): string {
  if (channel === undefined || channel === null) return 'No channel is named';
  const shown = typeof channel === 'string' ? JSON.stringify(channel.slice(0, 64)) : `a ${typeof channel}`;
  return `${shown} is no channel name`;
}

/** `hub.register()` was given an id that another connection has. @publicApi */
export class ConnectionIdTakenError extends RealtimeError {
  override name = 'ConnectionIdTakenError';

  constructor(readonly connectionId: string) {
    super(
      ErrorCode.Conflict,
      `A connection with the id ${JSON.stringify(connectionId)} is registered already. Unregister it first, or leave the ` +
        'id out to get one of its own.',
    );
  }
}

/** The connect handlers of a connection have not come to an end in time. It is closed with 1011. */
export class ConnectTimeoutError extends RealtimeError {
  override name = 'ConnectTimeoutError';

  constructor(
    /** How long they may take, in ms. */
    readonly timeout: number,
  ) {
    super(
      ErrorCode.Unavailable,
      `The @OnConnect handlers took longer than ${timeout} ms (limits.handshakeTimeout). Bound what they wait for.`,
    );
  }
}

/** A connection holds as many subscriptions as it may. @publicApi */
export class SubscriptionLimitError extends RealtimeError {
  override name = 'SubscriptionLimitError';

  constructor(
    readonly connectionId: string,
    readonly limit: number,
  ) {
    super(
      ErrorCode.LimitExceeded,
      `A connection may hold ${limit} subscriptions (limits.subscriptionsPerConnection). Unsubscribe from a channel first.`,
    );
  }
}

/** A history was asked for a number of publications that is none. @publicApi */
export class InvalidHistoryLimitError extends RealtimeError {
  override name = 'InvalidHistoryLimitError';

  constructor(readonly limit: unknown) {
    const shown = typeof limit === 'number' ? String(limit) : `a ${typeof limit}`;
    super(ErrorCode.BadRequest, `"limit" must be an integer of at least 1; it is ${shown}. Leave it out to get up to 100.`);
  }
}

/** A message was given a type that only the hub itself uses. @publicApi */
export class ReservedTypeError extends RealtimeError {
  override name = 'ReservedTypeError';

  constructor(readonly type: string) {
    super(
      ErrorCode.BadRequest,
      `The type ${JSON.stringify(type)} is a word of the protocol: clients would take the message for the hub's own. Use another.`,
    );
  }
}

/** A message whose type is no string, or an empty one: no client could tell what it is. @publicApi */
export class InvalidTypeError extends RealtimeError {
  override name = 'InvalidTypeError';

  constructor(readonly type: unknown) {
    super(ErrorCode.BadRequest, `A message's type must be a non-empty string, such as 'chat'; this is ${type === '' ? 'empty' : `of type ${typeof type}`}.`);
  }
}

/** A channel that nothing declares. @publicApi */
export class UndeclaredChannelError extends RealtimeError {
  override name = 'UndeclaredChannelError';

  constructor(readonly channel: string) {
    super(
      ErrorCode.Forbidden,
      `Nothing declares the channel ${JSON.stringify(channel)}. Declare it on the server: a pattern in the module's ` +
        '"channels", or a handler with @OnSubscribe or @SubscribeChannel.',
    );
  }
}
