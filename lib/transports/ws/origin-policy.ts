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
  if (option !== undefined) return option.includes(origin.toLowerCase()) || option.includes(origin);
  return isSameOrigin(origin, request.headers.host);
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
