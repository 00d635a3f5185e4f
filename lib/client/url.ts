/**
 * The absolute `ws:` or `wss:` address. In a page, a relative one is taken from the page's own.
 *
 * @throws TypeError for anything else
 */
export function webSocketUrl(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const address = new URL(url, page);
  address.protocol = address.protocol.replace('http', 'ws');
  address.hash = '';
  if (!address.protocol.startsWith('ws')) throw new TypeError(`Not a WebSocket URL: ${url}`);
  return address.href;
}
