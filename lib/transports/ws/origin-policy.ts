import type { IncomingMessage } from 'node:http';

/**
 * Which origins browsers may connect from: `'*'` for any, a list of origins (`https://app.example.com`), or a function.
 * A request without an `Origin` header does not come from a browser and passes.
 *
 * @default same origin only
 * @publicApi
 */
export type OriginOption = '*' | readonly string[] | ((origin: string, request: IncomingMessage) => boolean | Promise<boolean>);

/** Whether the request may come from where it says it comes from. */
export async function isOriginAllowed(option: OriginOption | undefined, request: IncomingMessage): Promise<boolean> {
  const { origin } = request.headers;
  if (origin === undefined || option === '*') return true;
  if (typeof option === 'function') return option(origin, request);
  if (option !== undefined) return option.includes(normalizeOrigin(origin) ?? '');
  return isSameOrigin(origin, request.headers.host);
}

/**
 * An origin as browsers send it, however it is written: lower case, no default port, no slash at the end.
 *
 * @returns undefined for what is no origin
 */
export function normalizeOrigin(text: string): string | undefined {
  // Of a sandboxed frame, and of pages from a file.
  if (text === 'null' || text === 'file://') return text;
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, username, pathname, search, hash } = new URL(text);
  const more = username + search + hash + (pathname === '/' ? '' : pathname);
  return host === '' || more !== '' ? undefined : `${protocol}//${host}`.toLowerCase();
}

/** The scheme is left out: behind a proxy that ends TLS the server does not know its own. */
function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  try {
    return new URL(origin).host === new URL(`${new URL(origin).protocol}//${host}`).host;
  } catch {
    return false;
  }
}
