import { Logger } from '@nestjs/common';
import type { HubAdapter, PresenceMember } from '../adapter/hub-adapter';
import type { ChannelRules, PresenceSettings } from './channel-settings';
import type { Connection } from './connection';
import type { Subscription } from './subscription';

/** Who is on a channel. @publicApi */
export interface PresenceSnapshot {
  readonly members: PresenceMember[];
  /** Connections. */
  readonly count: number;
  /** Different users; each anonymous connection counts as one. */
  readonly users: number;
}

/** Tells a channel's subscribers of a member, without a place in the history. */
export type Announce = (channel: string, type: 'join' | 'leave', member: PresenceMember) => Promise<unknown>;

/** Keeps the presence of the channels that have it. */
export class Presence {
  private readonly logger = new Logger(Presence.name);

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
}

function memberOf(connection: Connection): PresenceMember {
  return { connectionId: connection.id, user: connection.user?.id ?? null, info: connection.info ?? null };
}
