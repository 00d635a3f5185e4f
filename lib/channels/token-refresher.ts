import type { ConnectedUser } from '../protocol/connected-user';

/** Judges the new token of a `refresh` command. The module connects it to the authenticator. */
export interface TokenRefresher {
  /**
   * @returns who the token belongs to, or undefined when it is not accepted
   * @throws AuthenticationUnavailableError when nobody can tell at the moment
   */
  verify(token: string): Promise<ConnectedUser | undefined>;
}
