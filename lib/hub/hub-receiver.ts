import type { AdapterReceiver, ControlCommand } from '../adapter/hub-adapter';
import { encodeCursor, type Position } from '../protocol/cursor';
import type { ChannelRegistry } from './channel-registry';
import { Frame } from './frame';
import type { HubStats } from './hub-stats';
import type { LocalCommands } from './local-commands';
import type { Publisher } from './publisher';

/** What comes in from the adapter, given to this instance's connections. */
export class HubReceiver implements AdapterReceiver {
  constructor(
    private readonly channels: ChannelRegistry,
    private readonly publisher: Publisher,
    private readonly commands: LocalCommands,
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
}
