import ms from 'ms';
import {
  type AuthenticationError,
  AuthenticationUnavailableError,
  InvalidCredentialsError,
  MissingCredentialsError,
} from '../authentication.errors';
import type { Authenticator, AuthResult, Credentials } from '../authenticator';
import { AuthenticatorOptionsError } from '../configuration.errors';
import { toConnectedUser, toUserId } from '../connected-user';
import { isRecord } from '../type-checks';
import { readKey, type JwtKey } from './jwt-key';
import type { JwtOptions } from './jwt-options';
import { loadJose, type Jose } from './load-jose';

type Claims = Readonly<Record<string, unknown>>;
type Verify = (token: string) => Promise<Claims>;

/** Errors of jose that are about the token. Others, such as a key set that cannot be fetched, are about the server. */
const TOKEN_ERRORS =
  /^ERR_(?:JW[ST]_[A-Z_]+|JWKS_NO_MATCHING_KEY|JWKS_MULTIPLE_MATCHING_KEYS|JOSE_ALG_NOT_ALLOWED|JOSE_NOT_SUPPORTED)$/;

/**
 * Authenticates by a signed JSON Web Token, sent as a bearer token. The connection's `expiresAt` is the token's `exp`
 * (and the clock tolerance): when it comes, the connection is closed with 4005 unless the client has refreshed. A token
 * without `exp` does not expire. While the key set cannot be fetched nobody is judged: 503, and clients come again. Needs the
 * package `jose`, version 5 or 6.
 *
 * @param options one of `secret`, `publicKey` and `jwksUri`, and what a token must say
 * @throws AuthenticatorOptionsError when an option is wrong
 * @example
 * auth: {
 *   authenticator: jwt({
 *     jwksUri: 'https://id.example.com/jwks',
 *     issuer: 'https://id.example.com',
 *     audience: 'chat',
 *   }),
 * }
 *
 * @publicApi
 */
export function jwt(options: JwtOptions): Authenticator {
  return new JwtAuthenticator(options);
}

class JwtAuthenticator implements Authenticator {
  readonly tokenSource = 'bearer';
  private readonly key: JwtKey;
  private readonly toleranceMs: number;
  private readonly userIdOf: (claims: Claims) => unknown;
  private verify: Verify | undefined;

  constructor(private readonly options: JwtOptions) {
    this.key = readKey(options);
    this.toleranceMs = readTolerance(options.clockTolerance);
    this.userIdOf = readUserId(options.userId);
    checkNames('issuer', options.issuer);
    checkNames('audience', options.audience);
  }

  prepare(): void {
    this.verify ??= this.createVerify(loadJose());
  }

  async authenticate({ token }: Credentials): Promise<AuthResult> {
    if (token === undefined) return { valid: false, error: new MissingCredentialsError() };
    this.verify ??= this.createVerify(loadJose());
    let claims: Claims;
    try {
      claims = await this.verify(token);
    } catch (error) {
      return { valid: false, error: this.toFailure(error) };
    }
    return this.toResult(claims);
  }

  /** @throws the error itself, when it says nothing about the token and there is no key set that could be away */
  private toFailure(error: unknown): AuthenticationError | AuthenticationUnavailableError {
    const code = codeOf(error);
    if (TOKEN_ERRORS.test(code)) return new InvalidCredentialsError(`The JWT is not accepted (${code})`, error);
    if (this.key.kind === 'fixed') throw error;
    return new AuthenticationUnavailableError(`The key set at ${this.key.url.origin} cannot be read`, error);
  }

  private createVerify(jose: Jose): Verify {
    const { key, options } = this;
    const checks = {
      algorithms: key.algorithms,
      clockTolerance: this.toleranceMs / 1000,
      ...(options.issuer === undefined ? {} : { issuer: toList(options.issuer) }),
      ...(options.audience === undefined ? {} : { audience: toList(options.audience) }),
    };
    if (key.kind === 'fixed') return async (token) => (await jose.jwtVerify(token, key.key, checks)).payload;
    const keys = jose.createRemoteJWKSet(key.url);
    return async (token) => (await jose.jwtVerify(token, keys, checks)).payload;
  }

  private toResult(claims: Claims): AuthResult {
    const id = toUserId(this.userIdOf(claims));
    // Within the tolerance a token is good although `exp` has passed; the connection must not end at once.
    const expiresAt = typeof claims.exp === 'number' ? claims.exp * 1000 + this.toleranceMs : undefined;
    const user = id === undefined ? undefined : toConnectedUser({ id, claims, expiresAt });
    if (user !== undefined) return { valid: true, user };
    return { valid: false, error: new InvalidCredentialsError('The JWT does not say who the user is (`userId`)') };
  }
}

function readUserId(userId: JwtOptions['userId'] = 'sub'): (claims: Claims) => unknown {
  if (typeof userId === 'function') return userId;
  if (typeof userId === 'string' && userId !== '') {
    return (claims) => (Object.hasOwn(claims, userId) ? claims[userId] : undefined);
  }
  throw new AuthenticatorOptionsError('jwt', 'userId', 'must be the name of a claim or a function of the claims');
}

function readTolerance(value: number | string = 0): number {
  const tolerance = isDuration(value) ? ms(value) : value;
  if (typeof tolerance === 'number' && Number.isFinite(tolerance) && tolerance >= 0) return tolerance;
  throw new AuthenticatorOptionsError('jwt', 'clockTolerance', "must be a number of ms or a text such as '30s'");
}

function isDuration(value: unknown): value is ms.StringValue {
  return typeof value === 'string' && /^\d{1,9}(?:\.\d{1,9})? ?[a-z]{1,12}$/i.test(value);
}

function checkNames(option: string, value: unknown): void {
  if (value === undefined) return;
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')) return;
  // An unset variable would otherwise switch the check off without a word.
  throw new AuthenticatorOptionsError('jwt', option, 'must be a text or a list of texts, none of them empty');
}

function toList(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? [value] : [...value];
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error.code === 'string' ? error.code : '';
}
