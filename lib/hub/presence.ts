import { Logger } from '@nestjs/common';
import type { HubAdapter, PresenceMember } from '../adapter/hub-adapter';
import { isFinalCloseCode } from '../protocol/close-codes';
import type { ChannelRules, PresenceSettings } from './channel-settings';
import type { Connection } from './connection';
import { LingeringMembers } from './lingering-members';
import type { Subscription } from './subscription';

/** Who is on a channel. @publicApi */
export interface PresenceSnapshot {
  readonly members: PresenceMember[];
  /** Connections. */
  readonly count: number;
  /** Different users; each anonymous connection counts as one. */
  readonly users: number;
}

/** What others are told of a member. */
export type PresenceChange = 'join' | 'leave';

/** Tells a channel's subscribers of a member, without a place in the history. */
export type Announce = (channel: string, type: PresenceChange, member: PresenceMember) => Promise<unknown>;

/** Close codes of those who leave on purpose: 1000, and 1005, a close without a code; 1008 refuses. */
const DELIBERATE_CODES: ReadonlySet<number> = new Set([1000, 1005, 1008]);
/** Changes announced at a time, so that the end of a large instance does not fill the adapter's queue. */
const ANNOUNCED_AT_ONCE = 128;

/** Keeps the presence of the channels that have it. */
export class Presence {
  private readonly logger = new Logger(Presence.name);
  private readonly lingering = new LingeringMembers((subscription) => this.track(this.leave(subscription)));
  /** Removals that nobody else awaits. */
  private readonly leaving = new Set<Promise<void>>();
  private draining = false;
  /** Changes that the adapter has told of, and that are yet to be announced. */
  private readonly changes: (() => Promise<unknown>)[] = [];
  private announcing = false;

  constructor(
    private readonly adapter: HubAdapter,
    private readonly rules: ChannelRules,
    private readonly announce: Announce,
  ) {}

  isKept(channel: string): boolean {
    return this.rules.for(channel).presence !== undefined;
  }

  /** Never rejects: a subscription stands also where its presence could not be noted. */
  async join(subscription: Subscription): Promise<void> {
    const { channel, connection } = subscription;
    const { presence } = channel.settings;
    if (presence === undefined) return;
    this.lingering.takeBack(subscription);
    try {
      await this.add(subscription, presence);
    } catch (error) {
      this.logger.warn(`Could not add ${connection.id} to the presence of ${channel.name}: ${String(error)}`);
    }
  }

  /** Never rejects: it runs while a connection ends, where nobody could handle it. */
  async leave(subscription: Subscription): Promise<void> {
    const { channel, connection } = subscription;
    const { presence } = channel.settings;
    if (presence === undefined) return;
    try {
      const wasThere = await this.adapter.removeMember(channel.name, connection.id);
      if (wasThere && presence.announce) await this.announce(channel.name, 'leave', memberOf(connection));
    } catch (error) {
      this.logger.warn(`Could not remove ${connection.id} from the presence of ${channel.name}: ${String(error)}`);
    }
  }

  /**
   * Its connection has ended. Who may be about to come back stays a member for the channel's grace period.
   *
   * @param code the close code
   */
  async disconnect(subscription: Subscription, code: number): Promise<void> {
    const gracePeriod = subscription.channel.settings.presence?.gracePeriod ?? 0;
    if (gracePeriod === 0 || this.draining || !isInterruption(code)) return this.leave(subscription);
    this.lingering.add(subscription, gracePeriod);
  }

  /** The adapter says so of a member that this hub may not know. Announced by this instance, to all. */
  changed(channel: string, change: PresenceChange, member: PresenceMember): void {
    if (!this.rules.for(channel).presence?.announce) return;
    this.changes.push(() => this.announce(channel, change, member));
    if (!this.announcing) this.track(this.announceChanges());
  }

  /** This instance is leaving: nobody lingers on it any more. Resolves when all are removed. */
  async drain(): Promise<void> {
    this.draining = true;
    this.lingering.flush();
    while (this.leaving.size > 0) await Promise.all(this.leaving);
  }

  async snapshot(channel: string): Promise<PresenceSnapshot> {
    const members = await this.adapter.members(channel);
    const users = new Set(members.map((member) => member.user ?? member.connectionId));
    return { members, count: members.length, users: users.size };
  }

  private async add(subscription: Subscription, { announce }: PresenceSettings): Promise<void> {
    const { channel, connection } = subscription;
    if (!subscription.active) return;
    const member = memberOf(connection);
    const isNew = await this.adapter.addMember(channel.name, member);
    // Who has left meanwhile was removed by `leave`, called after `addMember`; or is back, and a member again.
    if (!subscription.active) return;
    if (isNew && announce) await this.announce(channel.name, 'join', member);
  }

  private async announceChanges(): Promise<void> {
    this.announcing = true;
    while (this.changes.length > 0) {
      const outcomes = await Promise.allSettled(this.changes.splice(0, ANNOUNCED_AT_ONCE).map((run) => run()));
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure) this.logger.warn(`Could not announce a change of presence: ${String(failure.reason)}`);
    }
    this.announcing = false;
  }

  private track(work: Promise<void>): void {
    this.leaving.add(work);
    void work.finally(() => this.leaving.delete(work));
  }
}

/** The first members, as many as can be listed in so many bytes. */
export function membersWithin(members: PresenceMember[], maxBytes: number): PresenceMember[] {
  let bytes = 0;
  const tooMuch = members.findIndex((member) => (bytes += Buffer.byteLength(JSON.stringify(member)) + 1) > maxBytes);
  return tooMuch === -1 ? members : members.slice(0, tooMuch);
}

/** Whether a client that lost its connection with this code may be about to come back by itself. */
export function isInterruption(code: number): boolean {
  return !DELIBERATE_CODES.has(code) && !isFinalCloseCode(code);
}

function memberOf(connection: Connection): PresenceMember {
  return { connectionId: connection.id, user: connection.user?.id ?? null, info: connection.info ?? null };
}
