import { Logger } from '@nestjs/common';
import type { ConnectionTarget, ControlCommand } from '../adapter/hub-adapter';
import { CloseCode } from '../protocol/close-codes';
import { encodeCursor, type Position } from '../protocol/cursor';
import type { ChannelRegistry } from './channel-registry';
import type { ConnectionHub } from './connection';
import type { ConnectionRegistry } from './connection-registry';
import type { ConnectionLifecycle } from './connection-lifecycle';
import { Frame } from './frame';

/** Subscribes a connection without asking it. */
export type SubscribeConnection = (connectionId: string, channel: string) => Promise<unknown>;

/** Carries out commands on the connections of this instance, whichever instance they came from. */
export class LocalCommands {
  private readonly logger = new Logger('Hub');

  constructor(
    private readonly hub: ConnectionHub,
    private readonly connections: ConnectionRegistry,
    private readonly channels: ChannelRegistry,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly subscribeConnection: SubscribeConnection,
  ) {}

  /** For commands from another instance, where nobody awaits the outcome. */
  run(command: ControlCommand): void {
    switch (command.kind) {
      case 'send':
        this.send(command.target, Frame.fromText(command.payload));
        break;
      case 'disconnect':
        this.disconnect(command.target, command.code, command.reason);
        break;
      case 'subscribe':
        this.subscribe(command.target, command.channel).catch((error: unknown) => {
          this.logger.warn(`Could not subscribe to ${command.channel}: ${String(error)}`);
        });
        break;
      case 'unsubscribe':
        this.unsubscribe(command.target, command.channel, command.reason);
        break;
    }
  }

  send(target: ConnectionTarget, frame: Frame): void {
    for (const connection of this.connections.find(target)) connection.send(frame);
  }

  disconnect(target: ConnectionTarget, code: number, reason: string): void {
    for (const connection of this.connections.find(target)) connection.close(code, reason);
  }

  async subscribe(target: ConnectionTarget, channel: string): Promise<void> {
    await Promise.all(this.connections.find(target).map(({ id }) => this.subscribeConnection(id, channel)));
  }

  unsubscribe(target: ConnectionTarget, channel: string, reason: string): void {
    for (const connection of this.connections.find(target)) {
      const subscription = this.channels.find(connection, channel);
      if (!subscription || !this.lifecycle.unsubscribe(subscription)) continue;
      connection.sendMessage({ type: 'unsubscribed', channel, data: { code: CloseCode.Forbidden, reason } });
    }
  }

  /** Tells a channel's subscribers that publications may have been missed. */
  reset(name: string, position: Position): void {
    const channel = this.channels.get(name);
    if (!channel) return;
    const frame = this.hub.encode({ type: 'reset', channel: name, cursor: encodeCursor(position) });
    for (const id of channel.connectionIds()) {
      const connection = this.connections.get(id);
      if (connection) this.channels.find(connection, name)?.reset(position, frame);
    }
  }
}
