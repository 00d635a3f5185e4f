import type { Authenticator } from '../authenticator';
import { AuthenticatorOptionsError } from '../configuration.errors';
import { type TokenValidator, ValidatingAuthenticator } from './validate';

/**
 * Authenticates by a bearer token (`Authorization` header, or the `bearer.` subprotocol entry) and a function of yours.
 *
 * @param validate gets the token and the upgrade's request; returns the user or nothing
 * @throws AuthenticatorOptionsError when `validate` is no function
 * @example
 * auth: { authenticator: bearerToken(async (token) => (await sessions.find(token))?.user) }
 *
 * @publicApi
 */
export function bearerToken(validate: TokenValidator): Authenticator {
  return new ValidatingAuthenticator('bearer', checked('bearerToken', validate));
}

/**
 * Authenticates by `?token=` and a function of yours. URLs end up in logs and histories: prefer tokens that live for a
 * minute and work once.
 *
 * @param validate gets the token and the upgrade's request; returns the user or nothing
 * @throws AuthenticatorOptionsError when `validate` is no function
 * @example
 * auth: { authenticator: queryToken((token) => tickets.redeem(token)) }
 *
 * @publicApi
 */
export function queryToken(validate: TokenValidator): Authenticator {
  return new ValidatingAuthenticator('query', checked('queryToken', validate));
}

function checked(name: string, validate: TokenValidator): TokenValidator {
  if (typeof validate === 'function') return validate;
  throw new AuthenticatorOptionsError(name, 'validate', `is ${typeof validate}; it must be a function of the token`);
}
