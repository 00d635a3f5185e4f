import type { Connection } from '../hub/connection';
import type { HubCore } from '../hub/hub-core';
import { inTime } from '../hub/in-time';
import type { Command } from '../protocol/commands';
import { ErrorCode, RealtimeError } from '../protocol/errors';
import type { TokenRefresher } from './token-refresher';

/** `ping` and `refresh`. */
export class SessionCommands {
  constructor(
    private readonly hub: HubCore,
    private readonly tokens: TokenRefresher | undefined,
  ) {}

  ping(connection: Connection, { id }: Command): void {
    connection.sendMessage({ type: 'pong', id });
  }

  /** A new token for the same user takes the place of the one that ends. */
  async refresh(connection: Connection, { id, data }: Command): Promise<void> {
    if (typeof data !== 'string' || data === '') {
      throw new RealtimeError(ErrorCode.BadRequest, '"data" of refresh must be the new token, a string');
    }
    if (!this.tokens || !connection.user) {
      throw new RealtimeError(ErrorCode.BadRequest, 'This connection was not authenticated by a token');
    }
    const { handshakeTimeout } = this.hub.settings.limits;
    const user = await inTime(this.tokens.verify(data), handshakeTimeout, () => {
      throw new RealtimeError(ErrorCode.Unavailable, 'The new token could not be checked in time: try again later');
    });
    if (!user) throw new RealtimeError(ErrorCode.Unauthorized, 'The new token is not accepted');
    if (user.id !== connection.user.id) {
      throw new RealtimeError(ErrorCode.Forbidden, 'The new token belongs to another user: open a new connection for it');
    }
    // The connection may have ended meanwhile; what has ended is watched by nobody, or it would be held until the expiry.
    if (!connection.open) return;
    connection.user = user;
    this.hub.expiry.watch(connection);
    connection.sendMessage({ type: 'refreshed', id, data: { expiresAt: user.expiresAt } });
  }
}
