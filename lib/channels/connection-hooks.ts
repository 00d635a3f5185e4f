import { Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Connection } from '../hub/connection';
import { describeError } from '../hub/describe-error';
import type { DisconnectEvent, HubHooks } from '../hub/hub-hooks';
import type { ConnectedUser } from '../protocol/connected-user';
import type { Handler } from './handler';
import { RealtimeContext } from './handler-context';
import type { HandlerRegistry } from './handler-registry';

/** Runs the handlers for the stages of a connection's life. */
export class ConnectionHooks implements HubHooks {
  private readonly logger = new Logger('Realtime');

  constructor(
    private readonly handlers: HandlerRegistry,
    private readonly whenIdle: () => Promise<void>,
  ) {}

  /** Before the upgrade. @returns channels to join. @throws whatever a handler refuses with */
  async handshake(request: IncomingMessage, user: ConnectedUser | undefined): Promise<string[]> {
    const channels: string[] = [];
    for (const handler of this.handlers.handshake) {
      const context = new RealtimeContext('handshake', undefined, {}, undefined, user);
      const result = await handler.invoke([request, undefined, context, 'handshake']);
      channels.push(...channelsIn(result));
    }
    return channels;
  }

  async connected(connection: Connection): Promise<void> {
    for (const handler of this.handlers.connect) {
      await handler.invoke([connection, undefined, new RealtimeContext('connect', undefined, {}), 'connect']);
    }
  }

  async disconnected(connection: Connection, event: DisconnectEvent): Promise<void> {
    const context = new RealtimeContext('disconnect', undefined, {}, event);
    for (const handler of this.handlers.disconnect) {
      await this.guard(handler, () => handler.invoke([connection, event, context, 'disconnect']));
    }
  }

  async unsubscribed(connection: Connection, channel: string): Promise<void> {
    const match = this.handlers.unsubscribe.find(channel);
    if (!match) return;
    const context = new RealtimeContext('unsubscribe', channel, match.params);
    await this.guard(match.value, () => match.value.invoke([connection, undefined, context, match.value.pattern]));
  }

  idle(): Promise<void> {
    return this.whenIdle();
  }

  /** One hook that fails must not keep the others from running. */
  private async guard(handler: Handler, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.logger.error(`${handler.name} failed`, describeError(error));
    }
  }
}

function channelsIn(result: unknown): string[] {
  if (typeof result === 'string') return [result];
  return Array.isArray(result) ? result.filter((channel): channel is string => typeof channel === 'string') : [];
}
