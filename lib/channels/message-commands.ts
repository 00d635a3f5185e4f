import type { Connection } from '../hub/connection';
import { quoteName } from '../hub/describe-error';
import type { HubCore } from '../hub/hub-core';
import type { PublishResult } from '../hub/publish.types';
import type { Command } from '../protocol/commands';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import { SERVER_TYPES } from '../protocol/server-types';
import { assertSubscribed, type ChannelCommand } from './channel-commands';
import type { Handler } from './handler';
import { RealtimeContext } from './handler-context';
import type { HandlerRegistry } from './handler-registry';

/** What clients say in their own words: publications on channels, and requests. */
export class MessageCommands {
  constructor(
    private readonly hub: HubCore,
    private readonly handlers: HandlerRegistry,
  ) {}

  /** A publication, through its @SubscribeChannel handler. */
  async publish(connection: Connection, command: ChannelCommand): Promise<void> {
    const { id, type, channel, data, idempotencyKey } = command;
    const match = this.handlers.publish.find(channel);
    if (!match) {
      throw new RealtimeError(
        ErrorCode.Forbidden,
        `Clients may not publish to ${JSON.stringify(channel)}: the server has no @SubscribeChannel handler for it.`,
      );
    }
    if (SERVER_TYPES.has(type)) {
      throw new RealtimeError(ErrorCode.BadRequest, `The type ${JSON.stringify(type)} belongs to the server. Use another.`);
    }
    const { value: handler, params } = match;
    if (handler.options.requireSubscription !== false) assertSubscribed(connection, channel);

    const work = async (): Promise<PublishResult> => {
      const context = new RealtimeContext(type, channel, params);
      const result = await handler.invoke([connection, data, context, handler.pattern]);
      return result === undefined ? NOTHING_PUBLISHED : this.send(connection, command, handler, result);
    };
    const { cursor } =
      idempotencyKey === undefined ? await work() : await this.hub.publisher.once(channel, scopeOf(connection, idempotencyKey), work);
    if (id !== undefined) connection.sendMessage({ type: 'ack', id, channel, cursor });
  }

  /** A request, through its @OnMessage handler. */
  async request(connection: Connection, { id, type, data }: Command): Promise<void> {
    const handler = this.handlers.message.get(type);
    if (!handler) {
      throw new RealtimeError(
        ErrorCode.UnknownType,
        `Nobody handles the type ${quoteName(type)}. To publish, name a "channel".`,
      );
    }
    const result = await handler.invoke([connection, data, new RealtimeContext(type, undefined, {}), type]);
    if (id !== undefined) connection.sendMessage({ type: 'ack', id, data: result });
  }

  private send(connection: Connection, command: ChannelCommand, handler: Handler, data: unknown): Promise<PublishResult> {
    const { type, channel, idempotencyKey } = command;
    const frame = this.hub.encode({ type, channel, data, from: connection.sender }, this.hub.originOf(channel));
    const exclude = handler.options.echo === false ? [connection.id] : undefined;
    // When it stays unknown what became of it, the client's next attempt reaches the handler again, but not the channel.
    const key = idempotencyKey === undefined ? undefined : scopeOf(connection, idempotencyKey);
    return this.hub.publisher.publishNow({ channel, frame, exclude, idempotencyKey: key });
  }
}

/** The handler dropped the message. */
const NOTHING_PUBLISHED: PublishResult = { delivered: 'cluster' };

/**
 * A key belongs to the user that made it up: nobody can take up, or answer from, another's. Ids may hold anything, so the
 * parts are quoted. Clients without a user share one scope: one that comes back on a new connection sends again what was
 * not acknowledged, and nothing but the key tells that it is the same.
 */
function scopeOf(connection: Connection, key: string): string {
  return JSON.stringify([connection.user?.id ?? null, key]);
}
