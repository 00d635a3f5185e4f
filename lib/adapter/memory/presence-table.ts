import type { PresenceMember } from '../hub-adapter';

/** Who is on which channel. */
export class PresenceTable {
  private readonly channels = new Map<string, Map<string, PresenceMember>>();

  /** @returns whether the member is new */
  add(channel: string, member: PresenceMember): boolean {
    const members = this.channels.get(channel) ?? new Map<string, PresenceMember>();
    this.channels.set(channel, members);
    const isNew = !members.has(member.connectionId);
    members.set(member.connectionId, member);
    return isNew;
  }

  /** @returns whether the member was there */
  remove(channel: string, connectionId: string): boolean {
    const members = this.channels.get(channel);
    if (!members?.delete(connectionId)) return false;
    if (members.size === 0) this.channels.delete(channel);
    return true;
  }

  members(channel: string): PresenceMember[] {
    return [...(this.channels.get(channel)?.values() ?? [])];
  }

  clear(): void {
    this.channels.clear();
  }
}
