import { createHash, timingSafeEqual } from 'node:crypto';
import type { ConnectedUser } from '../../protocol/connected-user';
import type { Authenticator } from '../authenticator';
import { AuthenticatorOptionsError } from '../configuration.errors';
import { toConnectedUser, type UserLike } from '../connected-user';
import { ValidatingAuthenticator } from './validate';

interface KnownKey {
  readonly digest: Buffer;
  readonly user: ConnectedUser;
}

/**
 * Authenticates by a fixed set of keys, sent as bearer tokens. Keys are kept as SHA-256 digests and a token is compared
 * with all of them in constant time, so that response times tell nothing about a key.
 *
 * @param keys the user's id, or a user with claims, by key
 * @throws AuthenticatorOptionsError for an empty key, one with space around it, or a value that names no user
 * @example
 * auth: { authenticator: apiKeys({ [process.env.ALICE_KEY]: 'alice', [process.env.BOB_KEY]: 'bob' }) }
 *
 * @publicApi
 */
export function apiKeys(keys: Readonly<Record<string, UserLike>>): Authenticator {
  if (typeof keys !== 'object' || keys === null) {
    throw new AuthenticatorOptionsError('apiKeys', 'keys', 'must be an object of user ids by key');
  }
  const known = Object.entries(keys).map(([key, user], index) => toKnownKey(key, user, index));
  return new ValidatingAuthenticator('bearer', (token) => findUser(known, token));
}

function toKnownKey(key: string, value: unknown, index: number): KnownKey {
  // The position stands for the key: its text must not end up in a log.
  const option = `keys (entry ${index + 1})`;
  if (key === '' || key !== key.trim()) {
    throw new AuthenticatorOptionsError('apiKeys', option, 'must be neither empty nor have space around it');
  }
  if (key === 'undefined') {
    throw new AuthenticatorOptionsError('apiKeys', option, 'is the text "undefined": a variable was not set');
  }
  const user = toConnectedUser(value);
  if (user === undefined) {
    throw new AuthenticatorOptionsError('apiKeys', option, 'names no user: give an id or { id, claims }');
  }
  return { digest: digestOf(key), user };
}

/** Looks at every key whether or not one has matched already. */
function findUser(known: readonly KnownKey[], token: string): ConnectedUser | undefined {
  const digest = digestOf(token);
  let found: ConnectedUser | undefined;
  for (const key of known) {
    if (timingSafeEqual(key.digest, digest)) found = key.user;
  }
  return found;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
