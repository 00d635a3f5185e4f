import type { Connection } from '../hub/connection';
import type { HistoryRequest } from '../hub/channel-history';
import type { HubCore } from '../hub/hub-core';
import { SubscriptionLimitError, UndeclaredChannelError } from '../hub/hub.errors';
import { membersWithin } from '../hub/presence';
import type { Command } from '../protocol/commands';
import type { OutboundMessage } from '../protocol/envelope';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import { RealtimeContext } from './handler-context';
import type { HandlerRegistry } from './handler-registry';
import { LargeReplies } from './large-replies';

/** A command whose channel is known and valid. */
export type ChannelCommand = Command & { channel: string };

/** What the members that one frame lists take together, in bytes. As much again has to have room in the queue behind it. */
const MAX_LIST_BYTES = 512 * 1024;

/** `subscribe`, `unsubscribe`, `presence` and `history`. */
export class ChannelCommands {
  private readonly replies = new LargeReplies();

  constructor(
    private readonly hub: HubCore,
    private readonly handlers: HandlerRegistry,
  ) {}

  async subscribe(connection: Connection, command: ChannelCommand): Promise<void> {
    const { id, channel, cursor, replay } = command;
    const data = connection.subscriptions.has(channel) ? undefined : await this.authorise(connection, command);
    if (await this.hub.subscribe(connection, channel, { id, data, cursor, replay })) return;
    throw new RealtimeError(
      ErrorCode.Conflict,
      `The subscription to ${JSON.stringify(channel)} was ended while it was asked for again. Subscribe once more.`,
    );
  }

  unsubscribe(connection: Connection, { id, channel }: ChannelCommand): void {
    this.hub.unsubscribe(connection, channel);
    connection.sendMessage({ type: 'unsubscribed', id, channel });
  }

  presence(connection: Connection, { id, channel }: ChannelCommand): Promise<void> {
    return this.replies.send(connection, async () => {
      assertSubscribed(connection, channel);
      if (!this.hub.presence.isKept(channel)) {
        throw new RealtimeError(ErrorCode.NotFound, `The channel ${JSON.stringify(channel)} keeps no presence`);
      }
      const { members, ...counts } = await this.hub.presence.snapshot(channel);
      const listed = membersWithin(members, Math.min(MAX_LIST_BYTES, this.hub.settings.limits.sendQueueBytes / 2));
      return { type: 'presence', id, channel, data: { members: listed, ...counts } };
    });
  }

  history(connection: Connection, command: ChannelCommand): Promise<void> {
    return this.replies.send(connection, () => this.historyReply(connection, command));
  }

  private async historyReply(connection: Connection, command: ChannelCommand): Promise<OutboundMessage> {
    const { id, channel } = command;
    assertSubscribed(connection, channel);
    const page = await this.hub.history.page(channel, readHistoryRequest(command.data));
    const { type: typeField, data: dataField } = this.hub.settings.envelope;
    // The publications look as they did when they were sent, renamed fields included.
    const publications = page.publications.map(({ type, data, ...rest }) => ({
      [typeField]: type,
      [dataField]: data,
      ...rest,
    }));
    return { type: 'history', id, channel, data: { ...page, publications } };
  }

  /** @returns the data for the `subscribed` reply. @throws when the channel is not for this client */
  private async authorise(connection: Connection, command: ChannelCommand): Promise<unknown> {
    const { channel } = command;
    const { subscriptionsPerConnection } = this.hub.settings.limits;
    if (connection.subscriptions.size >= subscriptionsPerConnection) {
      throw new SubscriptionLimitError(connection.id, subscriptionsPerConnection);
    }
    if (!this.hub.rules.isDeclared(channel)) throw new UndeclaredChannelError(channel);

    const match = this.handlers.subscribe.find(channel);
    if (!match) return undefined;
    const context = new RealtimeContext('subscribe', channel, match.params);
    // With the name in `data` there is no payload left for the handler.
    const payload = typeof command.data === 'string' ? undefined : command.data;
    return match.value.invoke([connection, payload, context, match.value.pattern]);
  }
}

export function assertSubscribed(connection: Connection, channel: string): void {
  if (connection.subscriptions.has(channel)) return;
  throw new RealtimeError(ErrorCode.NotSubscribed, `Subscribe to ${JSON.stringify(channel)} first`);
}

/** What "limit" may be is the history's to say. */
function readHistoryRequest(data: unknown): HistoryRequest {
  if (data === undefined || data === null) return {};
  const { limit, after, reverse } = data as { limit?: unknown; after?: unknown; reverse?: unknown };
  const fail = (reason: string): never => {
    throw new RealtimeError(ErrorCode.BadRequest, reason);
  };
  if (typeof data !== 'object') fail('"data" of history must be an object');
  if (after !== undefined && typeof after !== 'string') fail('"after" must be a cursor');
  if (reverse !== undefined && typeof reverse !== 'boolean') fail('"reverse" must be true or false');
  return { limit: limit as number | undefined, after: after as string | undefined, reverse: reverse === true };
}
