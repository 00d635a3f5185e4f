import type { AdapterReceiver, ControlCommand, PresenceMember } from '../adapter/hub-adapter';
import { encodeCursor, type Position } from '../protocol/cursor';
import type { EnvelopeFields } from '../protocol/envelope';
import { announcementTest } from './announcements';
import type { ChannelRegistry } from './channel-registry';
import type { ConnectionRegistry } from './connection-registry';
import { Frame, type FrameOrigin } from './frame';
import type { HubStats, InstanceCounts } from './hub-stats';
import type { LocalChannel } from './local-channel';
import type { LocalCommands } from './local-commands';
import type { Presence, PresenceChange } from './presence';
import type { Publisher } from './publisher';

/** What comes in from the adapter, given to this instance's connections. */
export class HubReceiver implements AdapterReceiver {
  private readonly isAnnouncement: (payload: Buffer) => boolean;

  constructor(
    private readonly channels: ChannelRegistry,
    private readonly connections: ConnectionRegistry,
    private readonly publisher: Publisher,
    private readonly commands: LocalCommands,
    private readonly presence: Presence,
    private readonly stats: HubStats,
    envelope: EnvelopeFields,
  ) {
    this.isAnnouncement = announcementTest(envelope);
  }

  onPublication(name: string, payload: Buffer, position?: Position, exclude?: readonly string[]): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    const frame = Frame.fromPayload(payload, this.originOf(channel, payload, position), position && encodeCursor(position));
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

  /** Of a channel's frames only announcements may differ, and those have no position. */
  private originOf({ origin, announcementOrigin }: LocalChannel, payload: Buffer, position: Position | undefined): FrameOrigin {
    if (origin === announcementOrigin || position !== undefined) return origin;
    return this.isAnnouncement(payload) ? announcementOrigin : origin;
  }
}
