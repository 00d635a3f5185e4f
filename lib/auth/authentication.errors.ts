import { HttpException, HttpStatus, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';

const UNAUTHORIZED = 401;
/** All that the client learns of why nobody could judge its credentials. */
const UNAVAILABLE = 'Credentials cannot be checked at the moment';

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
 * The credentials could not be judged: the key set cannot be fetched, the session store is away. Thrown, or answered as
 * `error`, by an authenticator: the client gets 503 with `Retry-After`, at a `refresh` the error `unavailable`, and comes again
 * with the same token. `auth.onFailure` is not called. Anything else that an authenticator throws is a 401, but for Nest's
 * `ServiceUnavailableException`, which says the same.
 *
 * @example
 * authenticator: async ({ token }) => {
 *   const session = await sessions.find(token).catch((error) => {
 *     throw new AuthenticationUnavailableError('the session store does not answer', error);
 *   });
 *   return session?.userId;
 * }
 *
 * @publicApi
 */
export class AuthenticationUnavailableError extends ServiceUnavailableException {
  /** A stable word for programs. */
  readonly code = 'authentication_unavailable';

  /**
   * @param reason what is missing, for the server alone
   * @param cause the error that led here
   */
  constructor(
    readonly reason = 'The credentials could not be judged',
    cause?: unknown,
  ) {
    super(UNAVAILABLE, { description: 'Service Unavailable', ...(cause === undefined ? {} : { cause }) });
    this.name = new.target.name;
  }
}

/** Whether what an authenticator threw says that it could not decide. */
export function isUnavailable(error: unknown): error is HttpException {
  return error instanceof HttpException && error.getStatus() === HttpStatus.SERVICE_UNAVAILABLE.valueOf();
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
