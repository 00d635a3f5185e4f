import type { ConnectedUser } from '../protocol/connected-user';
import { toConnectedUser } from './connected-user';

/**
 * Reads the identity that a guard left on the request, by Nest's convention in `request.user`: one of this module's
 * guards, Passport's, or the application's own. `{ id }`, `{ userId }`, `{ sub }` or a bare string name a user.
 *
 * @param request the request that the guards have passed
 * @returns undefined when no guard left an identity that names a user
 * @throws TypeError when it names one, with an `expiresAt` or claims that make no sense
 */
export function identityOf(request: object): ConnectedUser | undefined {
  return toConnectedUser((request as { user?: unknown }).user);
}
