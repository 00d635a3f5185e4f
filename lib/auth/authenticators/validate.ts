import type { IncomingMessage } from 'node:http';
import { MissingCredentialsError } from '../authentication.errors';
import type { AuthenticatorAnswer, Authenticator, Credentials } from '../authenticator';
import type { ValidationResult } from '../connected-user';

/**
 * Looks a token up. Returns the user, or nothing for a token that is not accepted; to throw is to refuse,
 * except for `AuthenticationUnavailableError`.
 *
 * @publicApi
 */
export type TokenValidator = (
  token: string,
  request: IncomingMessage | undefined,
) => ValidationResult | Promise<ValidationResult>;

/** An authenticator on a validate function, which is never called without a token. */
export class ValidatingAuthenticator implements Authenticator {
  constructor(
    readonly tokenSource: 'bearer' | 'query',
    private readonly validate: TokenValidator,
  ) {}

  authenticate({ token, request }: Credentials): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    if (token === undefined) return { valid: false, error: new MissingCredentialsError() };
    return this.validate(token, request);
  }
}
