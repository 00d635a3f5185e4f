import type { JsonWebKey, KeyObject } from 'node:crypto';

/** Options of {@link jwt}: exactly one of `secret`, `publicKey` and `jwksUri`. @publicApi */
export interface JwtOptions {
  /** Shared secret; at least 32 bytes, shorter ones are warned about. Only HS256 unless `algorithms` says more. */
  readonly secret?: string | Uint8Array;
  /** PEM text (SPKI, PKCS #1, X.509 certificate), a JWK or a `KeyObject`. Only algorithms of this kind of key. */
  readonly publicKey?: string | Buffer | KeyObject | JsonWebKey;
  /** URL of the issuer's key set. Fetched at first use and again when a token names an unknown key. */
  readonly jwksUri?: string | URL;
  /** Accepted `iss`. Default: not checked. */
  readonly issuer?: string | readonly string[];
  /** Accepted `aud`. Default: not checked. Set it wherever one issuer serves several applications. */
  readonly audience?: string | readonly string[];
  /** Accepted algorithms, of those that the key allows. `none` is never accepted. */
  readonly algorithms?: readonly string[];
  /** The claim that is the user's id, or a function of the claims. Default: `sub`. */
  readonly userId?: string | ((claims: Readonly<Record<string, unknown>>) => string | number | undefined);
  /** Allowed difference of clocks, as ms or a text such as `'30s'`. Default: 0. */
  readonly clockTolerance?: number | string;
}
