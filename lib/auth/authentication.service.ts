import { HttpException, Inject, Injectable, Logger, Optional, type OnModuleInit } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { AuthenticationError, AuthenticationUnavailableError, InvalidCredentialsError, isUnavailable } from './authentication.errors';
import {
  REALTIME_AUTHENTICATOR,
  type Authenticator,
  type AuthenticatorFunction,
  type AuthResult,
  type Credentials,
  type TokenSource,
} from './authenticator';
import { toConnectedUser } from './connected-user';
import { checkToken, findToken, type RequestTokenSource } from './credentials';
import { redactRequest, redactSecret, withoutSecret } from './redact';
import { isRecord } from './type-checks';

const BEARER_SOURCES: readonly RequestTokenSource[] = ['header', 'subprotocol'];
const QUERY_SOURCES: readonly RequestTokenSource[] = ['query'];

/**
 * Asks the application's authenticator and makes one reliable result of whatever it does. It never rejects: an
 * authenticator that throws, or answers nonsense, has refused. Only where it says that it cannot decide is the result's error
 * an `AuthenticationUnavailableError`.
 *
 * @publicApi
 */
@Injectable()
export class AuthenticationService implements OnModuleInit {
  private readonly logger = new Logger(AuthenticationService.name);
  private readonly authenticator: Authenticator | undefined;

  constructor(@Optional() @Inject(REALTIME_AUTHENTICATOR) authenticator?: Authenticator | AuthenticatorFunction) {
    this.authenticator = typeof authenticator === 'function' ? { authenticate: authenticator } : authenticator;
  }

  /** Whether an authenticator is configured. Without one every result is a refusal. */
  get configured(): boolean {
    return this.authenticator !== undefined;
  }

  /** Where tokens are taken from when no guard says it. */
  get defaultSources(): readonly RequestTokenSource[] {
    return this.authenticator?.tokenSource === 'query' ? QUERY_SOURCES : BEARER_SOURCES;
  }

  async onModuleInit(): Promise<void> {
    await this.authenticator?.prepare?.();
  }

  /**
   * Authenticates a request.
   *
   * @param request the HTTP request of the upgrade, or of any route
   * @param sources where to look for the token, in this order. Default: what the authenticator says, else the header
   *   and then the subprotocol entry
   */
  async authenticate(
    request: IncomingMessage,
    sources: readonly RequestTokenSource[] = this.defaultSources,
  ): Promise<AuthResult> {
    const lookup = findToken(request, sources);
    if (lookup.token !== undefined) return this.judge(lookup.token, lookup.source, request);
    // Asked without a token, a careless look-up finds somebody; only who reads the request itself is asked.
    if (this.authenticator?.tokenSource !== 'request') return { valid: false, error: lookup.error };
    const result = await this.ask({ request });
    return result ?? { valid: false, error: lookup.error };
  }

  /**
   * Judges a token that did not come with a request, such as that of a `refresh` command. Whether it is for the same
   * user is for the caller to compare.
   *
   * @param token what the client sent, of any type
   * @param request the request of the upgrade, when it is still held
   * @param source where the token came from. Default: `refresh`
   */
  async verify(token: unknown, request?: IncomingMessage, source: TokenSource = 'refresh'): Promise<AuthResult> {
    const checked = checkToken(token, source);
    if (typeof checked !== 'string') return { valid: false, error: checked };
    return this.judge(checked, source, request);
  }

  private async judge(token: string, source: TokenSource, request: IncomingMessage | undefined): Promise<AuthResult> {
    const result = await this.ask({ token, source, request });
    return result ?? { valid: false, error: new InvalidCredentialsError() };
  }

  /** @returns undefined when the authenticator accepts nobody and gives no reason */
  private async ask(credentials: Credentials): Promise<AuthResult | undefined> {
    if (this.authenticator === undefined) return refuse('No authenticator is configured (`auth.authenticator`)');
    try {
      const answer: unknown = await this.authenticator.authenticate(credentials);
      return this.read(answer, credentials);
    } catch (error) {
      return this.refuseThrown(error, credentials);
    }
  }

  private read(answer: unknown, credentials: Credentials): AuthResult | undefined {
    if (answer === undefined || answer === null || answer === false) return undefined;
    const { valid, user: inner, error } = isRecord(answer) ? answer : {};
    if (valid === false) return this.refuseExplained(error, credentials);
    const user = toConnectedUser(valid === true && inner !== undefined ? inner : answer);
    if (user === undefined) {
      this.logger.warn('The authenticator answered neither a user nor a refusal; the client is refused');
      return refuse('The authenticator answered no user');
    }
    if (user.expiresAt !== undefined && user.expiresAt <= Date.now()) {
      return refuse('The credentials have expired (`expiresAt`, in ms since the epoch, lies in the past)');
    }
    return { valid: true, user };
  }

  private refuseExplained(error: unknown, credentials: Credentials): AuthResult | undefined {
    if (error === undefined || error === null) return undefined;
    if (error instanceof AuthenticationError) return { valid: false, error };
    if (isUnavailable(error)) return this.postpone(error, credentials);
    return refuse('The authenticator refused', withoutSecret(error, credentials.token));
  }

  /** It is no refusal: a client whose token may be good has to keep it, and to come again. */
  private postpone(error: HttpException, credentials: Credentials): AuthResult {
    this.logger.warn(`The authenticator cannot decide: ${describeWithout(credentials, error)}; the client is told to try again`);
    const harmless = withoutSecret(error, credentials.token);
    if (harmless instanceof AuthenticationUnavailableError) return { valid: false, error: harmless };
    return { valid: false, error: new AuthenticationUnavailableError(undefined, harmless) };
  }

  private refuseThrown(error: unknown, credentials: Credentials): AuthResult {
    const { token } = credentials;
    if (error instanceof AuthenticationError) return { valid: false, error };
    if (isUnavailable(error)) return this.postpone(error, credentials);
    const text = `The authenticator threw ${describeWithout(credentials, error)}; the client is refused`;
    // A 4xx is how an application says no on purpose; anything else may be an outage.
    if (error instanceof HttpException && error.getStatus() < 500) this.logger.debug(text);
    else this.logger.warn(text);
    return refuse('The authenticator threw', withoutSecret(error, token));
  }
}

function refuse(reason: string, cause?: unknown): AuthResult {
  return { valid: false, error: new InvalidCredentialsError(reason, cause) };
}

/** For the log, without the credentials. */
function describeWithout({ token, request }: Credentials, error: unknown): string {
  const described = redactSecret(describe(error), token);
  // In the request the same token may stand in other forms.
  return request ? redactRequest(described, request) : described;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `a value of type ${typeof error}`;
  // The message of one that is unavailable is for the client.
  const reason = error instanceof AuthenticationUnavailableError ? error.reason : error.message;
  const { cause } = error;
  return `${error.name}: ${reason}${cause instanceof Error ? ` (${cause.name}: ${cause.message})` : ''}`;
}
