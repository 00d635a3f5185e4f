import type { ConnectionTarget } from '../adapter/hub-adapter';
import type { Connection } from './connection';

/** The connections of this instance, by id and by user. */
export class ConnectionRegistry {
  private readonly byId = new Map<string, Connection>();
  private readonly byUser = new Map<string, Set<Connection>>();
  /** Under whom each is found, whatever an application makes of `connection.user`. */
  private readonly userIds = new Map<Connection, string>();

  get size(): number {
    return this.byId.size;
  }

  add(connection: Connection): void {
    this.byId.set(connection.id, connection);
    const userId = connection.user?.id;
    if (userId === undefined) return;
    this.userIds.set(connection, userId);
    const sameUser = this.byUser.get(userId);
    if (sameUser) sameUser.add(connection);
    else this.byUser.set(userId, new Set([connection]));
  }

  /** @returns whether it was there */
  remove(connection: Connection): boolean {
    if (this.byId.get(connection.id) !== connection) return false;
    this.byId.delete(connection.id);
    this.removeFromUser(connection);
    return true;
  }

  get(id: string): Connection | undefined {
    return this.byId.get(id);
  }

  has(connection: Connection): boolean {
    return this.byId.get(connection.id) === connection;
  }

  countOfUser(userId: string): number {
    return this.byUser.get(userId)?.size ?? 0;
  }

  /** A copy: the caller may end connections while walking it. */
  find(target: ConnectionTarget): Connection[] {
    if ('userId' in target) return [...(this.byUser.get(target.userId) ?? [])];
    const connection = this.byId.get(target.connectionId);
    return connection ? [connection] : [];
  }

  values(): IterableIterator<Connection> {
    return this.byId.values();
  }

  private removeFromUser(connection: Connection): void {
    const userId = this.userIds.get(connection);
    if (userId === undefined) return;
    this.userIds.delete(connection);
    const sameUser = this.byUser.get(userId);
    if (sameUser?.delete(connection) && sameUser.size === 0) this.byUser.delete(userId);
  }
}
