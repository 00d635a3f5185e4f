import type { Position } from '../protocol/cursor';
import { announcementOrigin } from './announcements';
import type { ChannelSettings } from './channel-settings';
import { type FlushScheduler, LARGE_FAN_OUT } from './flush-scheduler';
import type { Frame, FrameOrigin } from './frame';

/** One subscriber of a channel, as the channel sees it. */
export interface ChannelMember {
  readonly connection: { readonly id: string };
  /** Index in the channel's list of members; -1 once it has left. */
  index: number;
  /** @returns whether the frame was accepted */
  deliver(frame: Frame, position: Position | undefined): boolean;
}

/** A channel as one instance sees it: its local subscribers. It exists as long as it has any. */
export class LocalChannel {
  /** A list, not a set: fan-out walks it for every publication. */
  private members: ChannelMember[] = [];
  /** The list that a fan-out walks. Members may leave meanwhile; it stays as it is, and they leave a copy. */
  private walked: ChannelMember[] | undefined;
  /** Shared by the frames of all publications on this channel. */
  readonly origin: FrameOrigin;
  /** And this by `join` and `leave`: of those each counts, not only the newest. */
  readonly announcementOrigin: FrameOrigin;
  /** Resolves once the adapter delivers this channel's publications to this instance. */
  interest: Promise<void> | undefined;

  constructor(
    readonly name: string,
    readonly settings: ChannelSettings,
    private readonly scheduler: FlushScheduler,
  ) {
    this.origin = { channel: name, policy: settings.policy };
    this.announcementOrigin = announcementOrigin(this.origin);
  }

  get size(): number {
    return this.members.length;
  }

  add(member: ChannelMember): void {
    member.index = this.members.push(member) - 1;
  }

  /** Removes in constant time: the last one takes the place of the one that leaves. */
  remove(member: ChannelMember): boolean {
    const { index } = member;
    if (index === -1) return false;
    if (this.members === this.walked) this.members = [...this.members];
    const last = this.members.pop()!;
    if (last !== member) {
      this.members[index] = last;
      last.index = index;
    }
    member.index = -1;
    return true;
  }

  /**
   * Gives a frame to every subscriber.
   *
   * @param exclude ids of connections that must not get it
   * @returns how many subscribers accepted it
   */
  fanOut(frame: Frame, position?: Position, exclude?: readonly string[]): number {
    const { members, walked } = this;
    this.walked = members;
    const large = members.length >= LARGE_FAN_OUT;
    if (large) this.scheduler.splitWave();
    let delivered = 0;
    // From the end, so that a member that comes meanwhile is not reached.
    for (let i = members.length - 1; i >= 0; i--) {
      const member = members[i]!;
      if (member.index === -1) continue;
      if (exclude !== undefined && exclude.includes(member.connection.id)) continue;
      if (member.deliver(frame, position)) delivered++;
    }
    this.walked = walked;
    if (large) this.scheduler.splitWave();
    return delivered;
  }

  connectionIds(): string[] {
    return this.members.map((member) => member.connection.id);
  }
}
