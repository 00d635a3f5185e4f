import { createPublicKey, KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { AuthenticatorOptionsError } from '../configuration.errors';
import { algorithmsFor } from './jwt-algorithms';
import type { JwtOptions } from './jwt-options';

/** RFC 7518, 3.2: a key for HS256 has at least as many bits as the hash. */
const MIN_SECRET_BYTES = 32;

/** What tokens are checked with. */
export type JwtKey =
  | { readonly kind: 'fixed'; readonly key: Uint8Array | KeyObject; readonly algorithms: string[] }
  | { readonly kind: 'remote'; readonly url: URL; readonly algorithms: string[] };

/** @throws AuthenticatorOptionsError unless exactly one usable key is given */
export function readKey(options: JwtOptions): JwtKey {
  const given = (['secret', 'publicKey', 'jwksUri'] as const).filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is set' : `${given.join(' and ')} are set`;
    throw new AuthenticatorOptionsError(
      'jwt',
      'secret | publicKey | jwksUri',
      `must be exactly one of these; ${found}`,
    );
  }
  if (options.secret !== undefined) return secretKey(options.secret, options);
  if (options.publicKey !== undefined) return publicKey(options.publicKey, options);
  return remoteKeys(options.jwksUri, options);
}

function secretKey(secret: unknown, { algorithms }: JwtOptions): JwtKey {
  const key = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret;
  if (!(key instanceof Uint8Array) || key.length === 0) {
    throw new AuthenticatorOptionsError('jwt', 'secret', 'must be a string or bytes, and not empty');
  }
  if (Buffer.from(key).toString('latin1').trimStart().startsWith('-----BEGIN')) {
    throw new AuthenticatorOptionsError('jwt', 'secret', 'is a PEM key; a public key belongs in `publicKey`');
  }
  if (key.length < MIN_SECRET_BYTES) {
    new Logger('JwtAuthenticator').warn(
      `The secret of jwt() has ${key.length} bytes. RFC 7518 asks for at least ${MIN_SECRET_BYTES}; a short one can ` +
        'be guessed from a single token.',
    );
  }
  return { kind: 'fixed', key: Uint8Array.from(key), algorithms: algorithmsFor('secret', algorithms) };
}

function publicKey(input: NonNullable<JwtOptions['publicKey']>, { algorithms }: JwtOptions): JwtKey {
  const key = toPublicKey(input);
  return { kind: 'fixed', key, algorithms: algorithmsFor(key, algorithms) };
}

function toPublicKey(input: NonNullable<JwtOptions['publicKey']>): KeyObject {
  try {
    if (input instanceof KeyObject) return input.type === 'public' ? input : createPublicKey(input);
    if (typeof input === 'string' || Buffer.isBuffer(input)) return createPublicKey(input);
    return createPublicKey({ key: input, format: 'jwk' });
  } catch (cause) {
    const allowed = 'must be a PEM text, a JWK or a KeyObject of an asymmetric key';
    throw new AuthenticatorOptionsError('jwt', 'publicKey', `cannot be read; it ${allowed}`, cause);
  }
}

function remoteKeys(input: unknown, { algorithms }: JwtOptions): JwtKey {
  const url = URL.canParse(String(input)) ? new URL(String(input)) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new AuthenticatorOptionsError('jwt', 'jwksUri', 'must be an http or https URL');
  }
  return { kind: 'remote', url, algorithms: algorithmsFor('jwks', algorithms) };
}
