import type { IncomingMessage } from 'node:http';
import { MalformedCredentialsError, MissingCredentialsError, type AuthenticationError } from './authentication.errors';
import type { TokenSource } from './authenticator';

/** The parts of a request that can carry a token. */
export type RequestTokenSource = Exclude<TokenSource, 'refresh'>;

/** Longer than any token in use; a validator never sees more. */
export const MAX_TOKEN_BYTES = 8 * 1024;

const SUBPROTOCOL_PREFIX = 'bearer.';
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** A token, or why there is none. */
export type TokenLookup =
  | { readonly token: string; readonly source: RequestTokenSource }
  | { readonly token?: undefined; readonly error: AuthenticationError };

/** What is read of a request. */
export type TokenCarrier = Pick<IncomingMessage, 'headers' | 'url'>;

/**
 * Looks for a token in the given places, in their order. The first that can be read is taken: a browser behind a proxy
 * with Basic authentication sends that header by itself, and its token in the subprotocol.
 */
export function findToken(request: TokenCarrier, sources: readonly RequestTokenSource[]): TokenLookup {
  let malformed: AuthenticationError | undefined;
  for (const source of sources) {
    const read = readers[source](request);
    if (typeof read === 'string') return { token: read, source };
    malformed ??= read;
  }
  return { error: malformed ?? new MissingCredentialsError(`The request carries no token (${sources.join(', ')})`) };
}

/** @returns the token without surrounding space, or why it is none */
export function checkToken(value: unknown, where: string): string | MalformedCredentialsError {
  if (typeof value !== 'string') return new MalformedCredentialsError(`The token in the ${where} is not a string`);
  // Characters first: counting the bytes of something huge is work done for whoever sent it.
  if (value.length > MAX_TOKEN_BYTES) return oversize(where);
  const token = value.trim();
  if (token === '') return new MalformedCredentialsError(`The token in the ${where} is empty`);
  return Buffer.byteLength(token) > MAX_TOKEN_BYTES ? oversize(where) : token;
}

function oversize(where: string): MalformedCredentialsError {
  return new MalformedCredentialsError(`The token in the ${where} is longer than ${MAX_TOKEN_BYTES} bytes`);
}

/** A token, an error for one that cannot be read, undefined when there is none. */
type Read = string | MalformedCredentialsError | undefined;

const readers: Record<RequestTokenSource, (request: TokenCarrier) => Read> = {
  header: readHeader,
  subprotocol: readSubprotocol,
  query: readQuery,
};

function readHeader({ headers }: TokenCarrier): Read {
  const header = headers.authorization;
  if (header === undefined || header === '') return undefined;
  const space = header.indexOf(' ');
  const scheme = space === -1 ? header : header.slice(0, space);
  if (scheme.toLowerCase() !== 'bearer') {
    return new MalformedCredentialsError('The Authorization header has another scheme than Bearer');
  }
  return checkToken(space === -1 ? '' : header.slice(space + 1), 'Authorization header');
}

function readSubprotocol({ headers }: TokenCarrier): Read {
  const entries = (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith(SUBPROTOCOL_PREFIX));
  const [entry] = entries;
  if (entry === undefined) return undefined;
  if (entries.length > 1) return new MalformedCredentialsError('More than one bearer subprotocol entry');
  return decodeSubprotocol(entry.slice(SUBPROTOCOL_PREFIX.length));
}

function decodeSubprotocol(encoded: string): Read {
  if (encoded === '') return checkToken('', 'subprotocol');
  if (!BASE64URL.test(encoded) || encoded.length % 4 === 1) {
    return new MalformedCredentialsError('The bearer subprotocol entry is not base64url');
  }
  try {
    return checkToken(
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64url')),
      'subprotocol',
    );
  } catch {
    return new MalformedCredentialsError('The bearer subprotocol entry is not UTF-8');
  }
}

function readQuery({ url = '' }: TokenCarrier): Read {
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const tokens = new URLSearchParams(url.slice(start + 1)).getAll('token');
  if (tokens.length === 0) return undefined;
  if (tokens.length > 1) return new MalformedCredentialsError('More than one token in the query');
  return checkToken(tokens[0], 'query');
}
