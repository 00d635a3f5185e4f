import type { PresenceMember } from './channel.types';

type Change = readonly ['join' | 'leave', PresenceMember];

/** Changes kept while the list is being read. */
const MOST_CHANGES = 10_000;

/**
 * The members of a channel, kept in step by `join` and `leave`.
 *
 * Changes that arrive while the list is being read are applied once more after it: each says where its member ends up,
 * so it does not matter whether the list knew it already.
 */
export class PresenceList {
  /** The one list that the application holds. */
  readonly list: PresenceMember[] = [];
  private changes?: Change[];

  /** The list is being read. */
  begin(): void {
    this.changes = [];
  }

  /** @param members what was read; undefined when it could not be: what is known stays */
  end(members: readonly PresenceMember[] | undefined): void {
    const changes = this.changes ?? [];
    this.changes = undefined;
    if (!members) return;
    this.list.length = 0;
    for (const member of members) this.list.push(member);
    for (const change of changes) this.apply(...change);
  }

  apply(...[type, member]: Change): void {
    if (this.changes && this.changes.length < MOST_CHANGES) this.changes.push([type, member]);
    const index = this.list.findIndex(({ connectionId }) => connectionId === member.connectionId);
    if (type === 'leave') {
      if (index >= 0) this.list.splice(index, 1);
    } else if (index >= 0) {
      this.list[index] = member;
    } else {
      this.list.push(member);
    }
  }
}
