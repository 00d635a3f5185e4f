import type { Abstract, Type } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { ConnectedUser } from '../protocol/connected-user';
import type { AuthenticationError, AuthenticationUnavailableError } from './authentication.errors';
import type { ValidationResult } from './connected-user';

/**
 * Where a token was found: `Authorization` header, `bearer.` subprotocol entry, `?token=`, or a `refresh` command.
 *
 * @publicApi
 */
export type TokenSource = 'header' | 'subprotocol' | 'query' | 'refresh';

/**
 * What an authenticator judges.
 *
 * @publicApi
 */
export interface Credentials {
  /** Trimmed, never empty, at most 8 KiB. Absent only for an authenticator whose `tokenSource` is `request`. */
  readonly token?: string;
  /** Where the token was found; absent without a token. */
  readonly source?: TokenSource;
  /** The HTTP request of the upgrade. Undefined at a `refresh` when the server no longer holds it. */
  readonly request: IncomingMessage | undefined;
}

/**
 * The outcome of an authentication. Not valid are credentials that are not accepted, and those that could not be judged.
 *
 * @publicApi
 */
export type AuthResult =
  | { readonly valid: true; readonly user: ConnectedUser }
  | { readonly valid: false; readonly error: AuthenticationError | AuthenticationUnavailableError };

/**
 * What an authenticator may answer: a full result, or in short the user, or nothing for credentials not accepted.
 *
 * @publicApi
 */
export type AuthenticatorAnswer = AuthResult | ValidationResult;

/**
 * Says who a client is. To throw is to refuse, except for `AuthenticationUnavailableError`: it could not decide.
 *
 * @example
 * @Injectable()
 * class SessionAuthenticator implements Authenticator {
 *   constructor(private readonly sessions: SessionService) {}
 *
 *   async authenticate({ token }: Credentials) {
 *     const session = await this.sessions.find(token!);
 *     return session && { id: session.userId, claims: { roles: session.roles }, expiresAt: session.expiresAt };
 *   }
 * }
 *
 * @publicApi
 */
export interface Authenticator {
  /**
   * Where the token is taken from when no guard says it: `bearer` (default: header, else subprotocol entry) or `query`
   * (`?token=`). With `request` the authenticator reads the request itself (a cookie, a client certificate) and is
   * asked even when there is no token; the others are never asked without one.
   */
  readonly tokenSource?: 'bearer' | 'query' | 'request';

  /**
   * Judges credentials. Anything but a user or a valid result is a refusal.
   *
   * @throws AuthenticationUnavailableError when it cannot decide now: the client gets 503 and comes again
   */
  authenticate(credentials: Credentials): AuthenticatorAnswer | Promise<AuthenticatorAnswer>;

  /** Called once at the start; to reject stops the start. */
  prepare?(): void | Promise<void>;
}

/**
 * An authenticator in short.
 *
 * @example authenticator: ({ token }) => (token === process.env.TOKEN ? 'operator' : undefined)
 *
 * @publicApi
 */
export type AuthenticatorFunction = Authenticator['authenticate'];

/**
 * What `auth.authenticator` takes: an authenticator, a function, a class (from DI, else made through it) or the
 * injection token of either.
 *
 * @publicApi
 */
export type AuthenticatorSetting =
  Authenticator | AuthenticatorFunction | Type<Authenticator> | Abstract<Authenticator> | string | symbol;

/** Injection token of the application's {@link Authenticator}; undefined when none is configured. */
export const REALTIME_AUTHENTICATOR = Symbol('REALTIME_AUTHENTICATOR');
