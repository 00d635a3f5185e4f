import type { AdapterReceiver, ControlCommand, PresenceMember } from '../adapter/hub-adapter';
import { encodeCursor, type Position } from '../protocol/cursor';
import type { ChannelRegistry } from './channel-registry';
import type { ConnectionRegistry } from './connection-registry';
import { Frame } from './frame';
import type { HubStats, InstanceCounts } from './hub-stats';
import type { LocalCommands } from './local-commands';
import type { Presence, PresenceChange } from './presence';
import type { Publisher } from './publisher';

/** What comes in from the adapter, given to this instance's connections. */
export class HubReceiver implements AdapterReceiver {
  constructor(
    private readonly channels: ChannelRegistry,
    private readonly connections: ConnectionRegistry,
    private readonly publisher: Publisher,
    private readonly commands: LocalCommands,
    private readonly presence: Presence,
    private readonly stats: HubStats,
  ) {}

  onPublication(name: string, payload: Buffer, position?: Position, exclude?: readonly string[]): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    const frame = Frame.fromPayload(payload, channel.origin, position && encodeCursor(position));
    this.stats.delivered += channel.fanOut(frame, position, exclude);
  }

  onBroadcast(payload: Buffer): void {
    this.publisher.broadcastLocally(Frame.fromPayload(payload));
  }

  onControl(command: ControlCommand): void {
    this.commands.run(command);
  }

  onContinuityLost(name: string, position: Position): void {
    this.commands.reset(name, position);
  }

  onPresence(channel: string, change: PresenceChange, member: PresenceMember): void {
    this.presence.changed(channel, change, member);
  }

  counts(): InstanceCounts {
    return { clients: this.connections.size, channels: this.channels.size, subscribers: this.channels.subscriptions };
  }
}
