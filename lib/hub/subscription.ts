import type { Position } from '../protocol/cursor';
import type { Connection } from './connection';
import type { Frame } from './frame';
import type { ChannelMember, LocalChannel } from './local-channel';

/** A live publication, held back while its subscriber is still being brought up to date. */
export interface HeldPublication {
  readonly frame: Frame;
  readonly position: Position | undefined;
}

/** Publications held back for one joining subscriber; with more, the join reads the history again instead. */
const MAX_HELD = 256;

/** One connection's place on one channel. */
export class Subscription implements ChannelMember {
  index = -1;
  /** Publications that arrived during the join; undefined once live ones go straight through. */
  private held: HeldPublication[] | undefined = [];
  private overflowed = false;
  /** How many publications went out on this subscription since it was live. */
  delivered = 0;

  constructor(
    readonly connection: Connection,
    readonly channel: LocalChannel,
  ) {}

  get active(): boolean {
    return this.index !== -1;
  }

  get joining(): boolean {
    return this.held !== undefined;
  }

  /** @returns whether the frame was accepted */
  deliver(frame: Frame, position: Position | undefined): boolean {
    if (this.held === undefined) {
      this.delivered++;
      return this.connection.send(frame);
    }
    if (this.held.length < MAX_HELD) this.held.push({ frame, position });
    else this.overflowed = true;
    return true;
  }

  /** Takes out what was held back so far. `overflowed`: there was more, which only the history still has. */
  takeHeld(): { publications: HeldPublication[]; overflowed: boolean } {
    const taken = { publications: this.held ?? [], overflowed: this.overflowed };
    this.held = [];
    this.overflowed = false;
    return taken;
  }

  /** From now on publications go straight through. */
  goLive(): void {
    this.held = undefined;
  }
}
