import { Logger } from '@nestjs/common';
import type { AdapterReceiver, PresenceMember } from '../../hub-adapter';
import type { RedisCommands } from '../connection/redis-commands';
import type { RedisNames } from '../redis-names';
import { ADD_MEMBER, BURY_MEMBERS } from './presence-scripts';

/** Members are put back so many at a time, after Redis has lost them. */
const AT_ONCE = 64;

/**
 * Who is on which channel, over all instances. Each member belongs to its instance's current life in the register, the
 * owner, so that keeping it alive costs nothing; the survivors remove what belonged to a dead one.
 */
export class RedisPresence {
  private readonly logger = new Logger('RedisAdapter');
  /** The members of this instance, by channel and connection. */
  private readonly own = new Map<string, Map<string, PresenceMember>>();
  /** Members that have left while Redis was away. */
  private readonly unremoved = new Map<string, Map<string, PresenceMember>>();
  /** Whether Redis may lack a member of this instance. */
  private incomplete = false;

  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
    private readonly receiver: AdapterReceiver,
    private readonly owner: () => string,
  ) {}

  /** Whether any member of this instance is there. */
  get empty(): boolean {
    return this.own.size === 0 && this.unremoved.size === 0;
  }

  async add(channel: string, member: PresenceMember): Promise<boolean> {
    const members = this.own.get(channel) ?? new Map<string, PresenceMember>();
    const isFirst = members.size === 0;
    members.set(member.connectionId, member);
    this.own.set(channel, members);
    this.forgetUnremoved(channel, member.connectionId);
    try {
      if (isFirst) await this.register(channel);
      return await this.store(channel, member);
    } catch (error) {
      this.incomplete = true;
      throw error;
    }
  }

  async remove(channel: string, connectionId: string): Promise<boolean> {
    const members = this.own.get(channel);
    const member = members?.get(connectionId);
    members?.delete(connectionId);
    if (members?.size === 0) this.own.delete(channel);
    try {
      return await this.erase(channel, connectionId);
    } catch (error) {
      if (member) this.keepUnremoved(channel, member);
      throw error;
    }
  }

  async members(channel: string): Promise<PresenceMember[]> {
    const reply = await this.commands.command('Reading the presence', 'HVALS', [this.keyOf(channel)]);
    return (reply as Buffer[]).map((value) => readMember(value.subarray(value.indexOf('|') + 1)));
  }

  /** Puts right what failed while Redis was away. */
  async repair(): Promise<void> {
    for (const [channel, members] of this.unremoved) {
      for (const member of members.values()) await this.removeLate(channel, member);
    }
    if (!this.incomplete) return;
    this.incomplete = false;
    await this.restore(false);
  }

  /**
   * Puts all members of this instance under its current owner.
   *
   * @param announce whether those that are not there any more have been said to have left, and so come back
   */
  async restore(announce: boolean): Promise<void> {
    const all = [...this.own].flatMap(([channel, members]) => [...members.values()].map((member) => ({ channel, member })));
    try {
      for (const channel of this.own.keys()) await this.register(channel);
      for (let i = 0; i < all.length; i += AT_ONCE) {
        await Promise.all(all.slice(i, i + AT_ONCE).map(({ channel, member }) => this.storeAgain(channel, member, announce)));
      }
    } catch (error) {
      this.incomplete = true;
      throw error;
    }
  }

  /** Removes what belonged to a dead owner, and tells of it. */
  async bury(owner: string): Promise<void> {
    const channelsKey = this.names.presenceOf(owner);
    const channels = (await this.commands.command('Reading the presence', 'SMEMBERS', [channelsKey])) as Buffer[];
    for (const name of channels) {
      const channel = name.toString('utf8');
      const key = this.keyOf(channel);
      const buried = (await this.commands.script('Removing dead members', BURY_MEMBERS, key, [key], [owner])) as Buffer[];
      for (const member of buried) this.receiver.onPresence?.(channel, 'leave', readMember(member));
      if (buried.length > 0) this.logger.log(`Removed ${buried.length} members of a dead instance from ${channel}`);
    }
    await this.commands.command('Removing dead members', 'DEL', [channelsKey]);
  }

  private async storeAgain(channel: string, member: PresenceMember, announce: boolean): Promise<void> {
    if (this.own.get(channel)?.get(member.connectionId) !== member) return;
    const isNew = await this.store(channel, member);
    // It left while it was being put back.
    if (!this.own.get(channel)?.has(member.connectionId)) await this.erase(channel, member.connectionId);
    else if (isNew && announce) this.receiver.onPresence?.(channel, 'join', member);
  }

  private async removeLate(channel: string, member: PresenceMember): Promise<void> {
    const removed = await this.erase(channel, member.connectionId);
    this.forgetUnremoved(channel, member.connectionId);
    if (removed) this.receiver.onPresence?.(channel, 'leave', member);
  }

  private async register(channel: string): Promise<void> {
    await this.commands.command('Adding a member', 'SADD', [this.names.presenceOf(this.owner()), channel]);
  }

  private async store(channel: string, member: PresenceMember): Promise<boolean> {
    const key = this.keyOf(channel);
    const args = [member.connectionId, this.owner(), JSON.stringify(member)];
    return (await this.commands.script('Adding a member', ADD_MEMBER, key, [key], args)) === 1;
  }

  private async erase(channel: string, connectionId: string): Promise<boolean> {
    const removed = await this.commands.command('Removing a member', 'HDEL', [this.keyOf(channel), connectionId]);
    if (!this.own.has(channel)) {
      // A left-over is harmless: whoever buries this instance finds no member there.
      this.commands.command('Removing a member', 'SREM', [this.names.presenceOf(this.owner()), channel]).catch(() => undefined);
    }
    return removed === 1;
  }

  private keepUnremoved(channel: string, member: PresenceMember): void {
    const members = this.unremoved.get(channel) ?? new Map<string, PresenceMember>();
    members.set(member.connectionId, member);
    this.unremoved.set(channel, members);
  }

  private forgetUnremoved(channel: string, connectionId: string): void {
    const members = this.unremoved.get(channel);
    if (members?.delete(connectionId) && members.size === 0) this.unremoved.delete(channel);
  }

  private keyOf(channel: string): string {
    return this.names.presence(this.names.channel(channel));
  }
}

function readMember(json: Buffer): PresenceMember {
  return JSON.parse(json.toString('utf8')) as PresenceMember;
}
