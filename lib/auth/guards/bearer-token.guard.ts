import { Injectable } from '@nestjs/common';
import { TokenGuard } from './token.guard';

/**
 * Requires a bearer token: `Authorization: Bearer <token>`, or for browsers, which cannot set that header on a
 * WebSocket, the subprotocol entry `bearer.<base64url of the token>` beside `realtime.v1`.
 *
 * @throws MissingAuthenticatorError at the start, when `auth.authenticator` is not configured
 * @example
 * RealtimeModule.forRoot({ guards: [BearerTokenGuard], auth: { authenticator: jwt({ secret }) } })
 *
 * @publicApi
 */
@Injectable()
export class BearerTokenGuard extends TokenGuard {
  protected readonly sources = ['header', 'subprotocol'] as const;
}
