import type { HistorySettings } from '../adapter/hub-adapter';
import { decodeCursor, encodeCursor, type Position } from '../protocol/cursor';
import type { OutboundMessage } from '../protocol/envelope';
import { LoopShare } from './loop-share';
import type { JoinRead } from './join-read';
import type { JoinQuery, SharedReads } from './shared-reads';
import { type HeldPublication, isNewer, type Subscription } from './subscription';

/** Publications that are sent at a stretch. */
const SLICE = 16;

/** What a subscriber asks for when it joins. */
export interface JoinRequest {
  /** Correlation id of the command. */
  readonly id?: string | number;
  /** What the subscribe handler returned. */
  readonly data?: unknown;
  /** Everything after this cursor. */
  readonly cursor?: string;
  /** Or the last N publications. */
  readonly replay?: number;
}

/**
 * Brings a new subscriber up to date and then live, without a gap or a repeat between the two.
 *
 * From the moment the subscription exists its live publications are held back. Then the history is read; what it
 * holds goes out first, then what was held back and is newer, and from there on everything goes straight through.
 * (The order of steps is Centrifuge's.)
 */
export class ChannelJoiner {
  private readonly loop = new LoopShare();

  constructor(private readonly reads: SharedReads) {}

  async join(subscription: Subscription, request: JoinRequest): Promise<void> {
    const { history } = subscription.channel.settings;
    subscription.hold();
    subscription.answered = false;
    await subscription.channel.interest;
    if (!subscription.active) return;
    if (history === undefined) this.joinWithoutHistory(subscription, request);
    else await this.joinWithHistory(subscription, request, history);
  }

  /**
   * Whether a second `subscribe` can still be brought up to date from a position of its own: as long as nothing has gone out
   * on the channel. So a client continues on channels that the server joined for it.
   */
  canJoinAgain(subscription: Subscription, { cursor }: JoinRequest): boolean {
    const { active, untouched, channel } = subscription;
    return active && untouched && channel.settings.history !== undefined && cursor !== undefined;
  }

  /** Answers a second `subscribe` for a channel that is held already, once the first is through. */
  answerAgain(subscription: Subscription, request: JoinRequest): void {
    const { connection, position } = subscription;
    const answer = subscribedMessage(subscription, request);
    if (position === undefined) {
      connection.sendMessage({ ...answer, recoverable: false });
      return;
    }
    // Publications have gone out on this subscription, so what lies before them can no longer be put in order.
    const recovered = request.cursor === undefined ? undefined : false;
    connection.sendMessage({ ...answer, recoverable: true, recovered, cursor: encodeCursor(position) });
  }

  private joinWithoutHistory(subscription: Subscription, request: JoinRequest): void {
    const recovered = request.cursor === undefined ? undefined : false;
    subscription.connection.sendMessage({ ...subscribedMessage(subscription, request), recoverable: false, recovered });
    const { publications, overflowed } = subscription.takeHeld();
    // What came before the answer is not owed. With a gap in it, it is better left out.
    if (!overflowed) for (const { frame } of publications) subscription.connection.send(frame);
    subscription.goLive();
  }

  private async joinWithHistory(
    subscription: Subscription,
    request: JoinRequest,
    history: HistorySettings,
  ): Promise<void> {
    const after = decodeCursor(request.cursor);
    const missed = await this.readWithoutLoss(subscription, queryOf(request, after), history);
    try {
      if (!subscription.active) return;
      const from = this.answer(subscription, request, missed, after);
      const position = await this.send(subscription, missed, from, history);
      await this.catchUp(subscription, position, history);
    } finally {
      missed.letGo();
    }
  }

  /** @returns the client's position, when it is continued */
  private answer(subscription: Subscription, request: JoinRequest, missed: JoinRead, after?: Position): Position | undefined {
    const recovered = request.cursor === undefined ? undefined : after !== undefined && missed.recovered;
    subscription.connection.sendMessage({
      ...subscribedMessage(subscription, request),
      recoverable: true,
      recovered,
      cursor: recovered ? request.cursor : encodeCursor(missed.position),
    });
    // Only now: data without a JSON form is told by an error, and nobody believes in a subscription.
    subscription.answered = true;
    subscription.position = recovered ? after : missed.position;
    return recovered ? after : undefined;
  }

  private async readWithoutLoss(subscription: Subscription, query: JoinQuery, history: HistorySettings): Promise<JoinRead> {
    for (;;) {
      subscription.takeLost();
      const read = await this.read(subscription, query, history);
      if (!subscription.lost) return read;
      // What was read before a loss proves nothing about what comes after it.
      read.letGo();
    }
  }

  private async read(subscription: Subscription, query: JoinQuery, history: HistorySettings): Promise<JoinRead> {
    for (;;) {
      const read = await this.reads.read(subscription.channel.name, query, history);
      if (!subscription.holdsForeign(read.position)) return read;
      read.letGo();
      // The history was cleared meanwhile. Whether what is held came before or after, a read that begins now has seen it.
      subscription.takeHeld();
    }
  }

  /** Sends what was held back and is newer than `position`, until nothing is. */
  private async catchUp(subscription: Subscription, from: Position, history: HistorySettings): Promise<void> {
    let position = from;
    while (subscription.active) {
      const lostAt = subscription.takeLost();
      if (lostAt) this.sendReset(subscription, (position = lostAt));
      const { publications, overflowed } = subscription.takeHeld();
      if (publications.length === 0 && !overflowed) {
        subscription.goLive(position);
        return;
      }
      position = await this.sendHeld(subscription, publications, position);
      if (overflowed) position = await this.readFurther(subscription, position, history);
    }
  }

  /** What is needed again, because more arrived than is held back or a read was let go of: the history has it. */
  private async readFurther(subscription: Subscription, after: Position, history: HistorySettings): Promise<Position> {
    await subscription.connection.whenWritable();
    const more = await this.read(subscription, { after }, history);
    if (more.recovered) return this.send(subscription, more, after, history);
    if (subscription.active) this.sendReset(subscription, more.position);
    return more.position;
  }

  private sendReset(subscription: Subscription, position: Position): void {
    const { connection, channel } = subscription;
    subscription.position = position;
    connection.sendMessage({ type: 'reset', channel: channel.name, cursor: encodeCursor(position) });
  }

  /**
   * Sends what was read, and reads again what had to be let go of meanwhile.
   *
   * @param from the position before what was read, where that is known
   * @returns the position after it
   */
  private async send(
    subscription: Subscription,
    read: JoinRead,
    from: Position | undefined,
    history: HistorySettings,
  ): Promise<Position> {
    let reached: Position | undefined;
    try {
      reached = await this.sendRead(subscription, read, from);
    } finally {
      read.letGo();
    }
    return reached === undefined ? read.position : this.readFurther(subscription, reached, history);
  }

  /**
   * Sends stored publications at the pace at which the connection takes them.
   *
   * @returns undefined when it is through, else after what the rest has to be read again
   */
  private async sendRead(subscription: Subscription, read: JoinRead, from: Position | undefined): Promise<Position | undefined> {
    const { connection, channel } = subscription;
    let position = from;
    let isHeld = true;
    for (let index = 0; ; index++) {
      const publication = read.at(index);
      if (publication === undefined) return isHeld ? undefined : position;
      if (index % SLICE === 0) await this.loop.take();
      if (!connection.writable) {
        await this.reads.stall(read, connection);
        isHeld = read.at(index) !== undefined;
      }
      if (!subscription.active || subscription.lost) return undefined;
      // Without a position to go on from, as in a replay that has not begun, one more has to be sent.
      if (!isHeld && position !== undefined) return position;
      subscription.send(publication.toFrame(channel.origin), publication.position);
      position = publication.position;
    }
  }

  /** The same for publications that were held back. @returns the position after them */
  private async sendHeld(subscription: Subscription, publications: HeldPublication[], from: Position): Promise<Position> {
    const { connection } = subscription;
    let position = from;
    for (const held of publications) {
      if (held.position && !isNewer(held.position, position)) continue;
      if (!connection.writable) await connection.whenWritable();
      if (!subscription.active || subscription.lost) break;
      subscription.send(held.frame, held.position);
      position = held.position ?? position;
    }
    return position;
  }
}

function subscribedMessage(subscription: Subscription, request: JoinRequest): OutboundMessage {
  return { type: 'subscribed', id: request.id, channel: subscription.channel.name, data: request.data };
}

function queryOf({ cursor, replay = 0 }: JoinRequest, after: Position | undefined): JoinQuery {
  if (after) return { after };
  // With a cursor it is all or nothing: a client that cannot be continued reads its state anew.
  return { last: cursor === undefined ? replay : 0 };
}
