import type { KeyObject } from 'node:crypto';
import { AuthenticatorOptionsError } from '../configuration.errors';

const HMAC = ['HS256', 'HS384', 'HS512'];
const RSA_PSS = ['PS256', 'PS384', 'PS512'];
const RSA = ['RS256', 'RS384', 'RS512', ...RSA_PSS];
const EDWARDS = ['EdDSA', 'Ed25519'];
const ELLIPTIC: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
const ASYMMETRIC = [...RSA, ...Object.values(ELLIPTIC), ...EDWARDS];

/**
 * The algorithms that a token may be signed with. Decided by the key alone: a token that says HS256 must never be
 * checked with the text of a public key as the secret.
 */
export function algorithmsFor(key: 'secret' | 'jwks' | KeyObject, wanted: readonly string[] | undefined): string[] {
  const possible = possibleFor(key);
  if (wanted === undefined) return key === 'secret' ? ['HS256'] : possible;
  const allowed = `allowed with this key: ${possible.join(', ')}`;
  if (!isList(wanted) || wanted.length === 0) {
    throw new AuthenticatorOptionsError('jwt', 'algorithms', `must be a list with at least one name; ${allowed}`);
  }
  const wrong = wanted.filter((name) => !possible.includes(name));
  if (wrong.length === 0) return [...wanted];
  throw new AuthenticatorOptionsError('jwt', 'algorithms', `has ${wrong.map(String).join(', ')}; ${allowed}`);
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

function possibleFor(key: 'secret' | 'jwks' | KeyObject): string[] {
  if (key === 'secret') return HMAC;
  if (key === 'jwks') return ASYMMETRIC;
  const possible = possibleForKey(key);
  if (possible.length > 0) return possible;
  throw new AuthenticatorOptionsError(
    'jwt',
    'publicKey',
    `is a ${key.asymmetricKeyType} key that no JWT is signed with; use RSA, EC P-256, P-384, P-521, or Ed25519`,
  );
}

function possibleForKey(key: KeyObject): string[] {
  if (key.asymmetricKeyType === 'rsa') return RSA;
  if (key.asymmetricKeyType === 'rsa-pss') return RSA_PSS;
  if (key.asymmetricKeyType === 'ed25519') return EDWARDS;
  const elliptic = ELLIPTIC[key.asymmetricKeyDetails?.namedCurve ?? ''];
  return elliptic === undefined ? [] : [elliptic];
}
