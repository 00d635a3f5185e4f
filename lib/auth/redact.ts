import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';

const REDACTED = '[redacted]';
const MIN_SECRET_LENGTH = 4;
const MIN_COOKIE_LENGTH = 16;
/** What keys and tokens are usually made of. */
const PLAIN = /^[A-Za-z0-9._~+/=:-]+$/;

/**
 * A URL as it may be logged: the value of every `token` parameter replaced, however its name is cased or
 * percent-encoded. Everything else stays as it was, byte for byte.
 *
 * @param url a request's target, or a whole URL
 * @example redactToken('/ws?token=abc&room=1') // '/ws?token=[redacted]&room=1'
 */
export function redactToken(url: string): string {
  const start = url.indexOf('?');
  if (start === -1) return url;
  const parameters = url.slice(start + 1).split('&');
  return `${url.slice(0, start)}?${parameters.map(redactParameter).join('&')}`;
}

function redactParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals === -1) return parameter;
  const name = parameter.slice(0, equals);
  return decodedName(name).toLowerCase() === 'token' ? `${name}=${REDACTED}` : parameter;
}

/** Decoded as the reader of the query does it, which forgives broken escapes where `decodeURIComponent` throws. */
function decodedName(name: string): string {
  for (const [decoded] of new URLSearchParams(`${name}=`)) return decoded.trim();
  return '';
}

/**
 * A text without anything that the request may have been authenticated by: errors of an application's own code say what
 * they want, and end up in the log.
 *
 * @param text what is to be logged
 * @param request the request that it is about
 */
export function redactRequest(text: string, request: Pick<IncomingMessage, 'headers' | 'url'>): string {
  return secretsOf(request).reduce(redactSecret, text);
}

function secretsOf({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): string[] {
  const { authorization = '', cookie = '' } = headers;
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((entry) => entry.trim());
  const bearers = protocols.filter((entry) => entry.startsWith('bearer.')).map((entry) => entry.slice('bearer.'.length));
  return [
    authorization.slice(authorization.indexOf(' ') + 1).trim(),
    cookie,
    ...cookieSecrets(cookie),
    ...bearers,
    ...bearers.map((entry) => Buffer.from(entry, 'base64url').toString('utf8')),
    ...queryTokens(url),
  ];
}

/** Values as long as a session's id, as they stand in the header, and decoded. A short one is a word of everyday. */
function cookieSecrets(cookie: string): string[] {
  const values = cookie.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim().replace(/^"(.*)"$/, '$1'));
  return values.flatMap((value) => (value.length < MIN_COOKIE_LENGTH ? [] : [value, percentDecoded(value)]));
}

/** As they stand in the URL, and decoded. */
function queryTokens(url: string): string[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  const parameters = url.slice(start + 1).split('&');
  const raw = parameters.filter((parameter) => redactParameter(parameter) !== parameter);
  return raw.flatMap((parameter) => [
    parameter.slice(parameter.indexOf('=') + 1),
    ...new URLSearchParams(parameter).values(),
  ]);
}

/** A text without the secret, in each form that it travels in. */
export function redactSecret(text: string, secret: string | undefined): string {
  let redacted = text;
  for (const form of formsOf(secret)) redacted = redacted.replaceAll(form, REDACTED);
  return redacted;
}

/**
 * An error that may be handed to hooks and logs: the error itself when no trace of the secret is in it, else a copy of
 * its name, message and stack without the secret. HTTP clients' errors, for one, hold the request they failed at.
 */
export function withoutSecret(error: unknown, secret: string | undefined): unknown {
  const forms = formsOf(secret);
  if (forms.length === 0) return error;
  // A text with other characters is shown escaped, and would not be found again.
  const shown = PLAIN.test(secret ?? '') ? inspectAll(error) : undefined;
  if (shown !== undefined && !forms.some((form) => shown.includes(form))) return error;
  const source = error instanceof Error ? error : new Error(typeof error === 'string' ? error : 'not an Error');
  const copy = new Error(redactSecret(source.message, secret));
  copy.name = redactSecret(source.name, secret);
  copy.stack = redactSecret(source.stack ?? '', secret);
  return copy;
}

function formsOf(secret: string | undefined): string[] {
  // A very short secret would match everywhere, and one that short protects nothing.
  if (secret === undefined || secret.length < MIN_SECRET_LENGTH) return [];
  const encoded = Buffer.from(secret, 'utf8').toString('base64url');
  return [...new Set([secret, encoded, percentEncoded(secret)])];
}

function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half a surrogate pair has no percent-encoded form.
    return text;
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function inspectAll(error: unknown): string | undefined {
  try {
    return inspect(error, { depth: 6, maxArrayLength: 200, maxStringLength: 100_000, breakLength: Infinity });
  } catch {
    return undefined;
  }
}
