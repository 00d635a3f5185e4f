import { comparePositions, type Position } from '../protocol/cursor';
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
  /** Where the channel goes on after a loss that came during the join. */
  private lostAt: Position | undefined;
  /** Where the join has ended, until the first publication after it. */
  private joinedAt: Position | undefined;
  /** Whether a publication or a reset has gone out: what lies before it can no longer be put in order. */
  private begun = false;
  /** Settles when the join is through; undefined from then on. */
  joined: Promise<void> | undefined;
  /** Whether the join that is under way, or was the last, has answered its request. */
  answered = false;
  /** In a channel with history: where the subscriber is. Undefined until it has been told of its subscription. */
  position: Position | undefined;

  constructor(
    readonly connection: Connection,
    readonly channel: LocalChannel,
  ) {}

  get active(): boolean {
    return this.index !== -1;
  }

  get untouched(): boolean {
    return !this.begun;
  }

  /** Holds live publications back again, for a join from another position. */
  hold(): void {
    this.held ??= [];
  }

  /** @returns whether the frame was accepted */
  deliver(frame: Frame, position: Position | undefined): boolean {
    if (this.held === undefined) return this.isRepeat(position) || this.send(frame, position);
    if (this.held.length < MAX_HELD) this.held.push({ frame, position });
    else this.overflowed = true;
    return true;
  }

  /**
   * Continuity was lost on the server's side. During the join nothing that came before counts any more, and it is the join
   * that says so, in its place.
   *
   * @param position where the channel goes on
   * @param frame says so to the client
   */
  reset(position: Position, frame: Frame): void {
    if (this.held === undefined) {
      this.joinedAt = undefined;
      this.begun = true;
      this.connection.continueAt(this.channel.name, position);
      this.connection.send(frame);
      this.position = position;
      return;
    }
    this.held = [];
    this.overflowed = false;
    this.lostAt = position;
  }

  /** Whether a loss has come during the join that the client has not been told of. */
  get lost(): boolean {
    return this.lostAt !== undefined;
  }

  takeLost(): Position | undefined {
    const { lostAt } = this;
    this.lostAt = undefined;
    return lostAt;
  }

  /** Past what is held back. @returns whether the frame was accepted */
  send(frame: Frame, position: Position | undefined): boolean {
    this.begun = true;
    const accepted = this.connection.send(frame);
    if (accepted && position !== undefined) this.position = position;
    return accepted;
  }

  /** Whether publications of another life of the channel are held back. */
  holdsForeign({ epoch }: Position): boolean {
    return this.held?.some(({ position }) => position !== undefined && position.epoch !== epoch) ?? false;
  }

  /** Takes out what was held back so far. `overflowed`: there was more, which only the history still has. */
  takeHeld(): { publications: HeldPublication[]; overflowed: boolean } {
    const taken = { publications: this.held ?? [], overflowed: this.overflowed };
    this.held = [];
    this.overflowed = false;
    return taken;
  }

  /**
   * From now on publications go straight through.
   *
   * @param position up to which the join has sent everything: some of it may still be on its way to this instance
   */
  goLive(position?: Position): void {
    this.held = undefined;
    this.joinedAt = position;
  }

  /** Whether the join has sent the publication already. Once one is newer, so are all that follow. */
  private isRepeat(position: Position | undefined): boolean {
    if (this.joinedAt === undefined || position === undefined) return false;
    if (!isNewer(position, this.joinedAt)) return true;
    this.joinedAt = undefined;
    return false;
  }
}

/** Another epoch is newer: positions are read before live publications arrive, so the live one belongs to the later life. */
export function isNewer(candidate: Position, than: Position): boolean {
  return candidate.epoch !== than.epoch || comparePositions(candidate, than) > 0;
}
