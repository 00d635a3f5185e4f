import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { AuthenticationService } from '../authentication.service';
import { MissingCredentialsError } from '../authentication.errors';
import { MissingAuthenticatorError } from '../configuration.errors';
import type { ConnectedUser } from '../connected-user';
import type { RequestTokenSource } from '../credentials';

/** Node's request, or Fastify's with Node's in `raw`. */
type GuardedRequest = IncomingMessage & { raw?: IncomingMessage; user?: ConnectedUser };

/**
 * Base of the guards that ask the application's authenticator about a token. They set `request.user`, as Nest's own
 * conventions have it, at the upgrade and on HTTP routes alike; on a message of a connection that has been
 * authenticated already they pass.
 *
 * @example
 * @Injectable()
 * export class TicketGuard extends TokenGuard {
 *   protected readonly sources = ['query'] as const;
 * }
 *
 * @publicApi
 */
@Injectable()
export abstract class TokenGuard implements CanActivate {
  /** Where the token is looked for, in this order. */
  protected abstract readonly sources: readonly RequestTokenSource[];

  /** @throws MissingAuthenticatorError when `auth.authenticator` is not configured */
  constructor(protected readonly authentication: AuthenticationService) {
    if (!authentication.configured) throw new MissingAuthenticatorError(new.target.name);
  }

  /** @throws AuthenticationError (a 401) when the client is not authenticated */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() === 'ws') return admitConnected(context);
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const result = await this.authentication.authenticate(request.raw ?? request, this.sources);
    if (!result.valid) throw result.error;
    request.user = result.user;
    return true;
  }
}

function admitConnected(context: ExecutionContext): boolean {
  const client = context.switchToWs().getClient<{ user?: unknown } | undefined>();
  if (client?.user !== undefined && client.user !== null) return true;
  throw new MissingCredentialsError('The connection was not authenticated at its upgrade');
}
