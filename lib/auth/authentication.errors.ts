import { HttpException, UnauthorizedException } from '@nestjs/common';

const UNAUTHORIZED = 401;

/**
 * Why a client was not authenticated. The client always gets the same 401 "Unauthorized", so that it learns nothing
 * about which part was wrong; the class, `code` and `reason` are for the server: `auth.onFailure` and logs. None of
 * them holds the token.
 *
 * @publicApi
 */
export abstract class AuthenticationError extends UnauthorizedException {
  /** A stable word for programs. */
  abstract readonly code: string;

  /**
   * @param reason what was wrong, for the server alone
   * @param cause the error that led here
   */
  protected constructor(
    readonly reason: string,
    cause?: unknown,
  ) {
    super(undefined, { description: 'Unauthorized', ...(cause === undefined ? {} : { cause }) });
    this.name = new.target.name;
  }
}

/**
 * The request carries no credentials where the server looks for them.
 *
 * @publicApi
 */
export class MissingCredentialsError extends AuthenticationError {
  override readonly code = 'missing_credentials';

  constructor(reason = 'The request carries no token') {
    super(reason);
  }
}

/**
 * The request carries credentials that cannot be read: another scheme than Bearer, an empty or oversize token.
 *
 * @publicApi
 */
export class MalformedCredentialsError extends AuthenticationError {
  override readonly code = 'malformed_credentials';

  constructor(reason = 'The credentials could not be read') {
    super(reason);
  }
}

/**
 * The credentials were read and not accepted: unknown, expired, or the authenticator threw (then with `cause`).
 *
 * @publicApi
 */
export class InvalidCredentialsError extends AuthenticationError {
  override readonly code = 'invalid_credentials';

  constructor(reason = 'The token is not accepted', cause?: unknown) {
    super(reason, cause);
  }
}

/**
 * The authentication failure that an exception stands for, so that a hook sees one shape whoever refused.
 *
 * @param exception what a guard threw
 * @returns the exception itself when it is one, a wrapper when a guard of the application's own threw another 401,
 *   undefined for anything else
 */
export function toAuthenticationError(exception: unknown): AuthenticationError | undefined {
  if (exception instanceof AuthenticationError) return exception;
  if (!(exception instanceof HttpException) || exception.getStatus() !== UNAUTHORIZED) return undefined;
  return new InvalidCredentialsError('A guard refused the credentials', exception);
}
