/**
 * What is kept of the request that a connection began with. Only two strings, because there may be a hundred thousand
 * of them: headers and cookies can be read in `@OnHandshake`, where the request is at hand.
 *
 * @publicApi
 */
export class Handshake {
  /** Of a connection without a request. */
  static readonly none = Object.freeze(new Handshake('', ''));

  constructor(
    /** Path and query, a token's value replaced. */
    readonly url: string,
    /** The peer's address as the socket sees it: behind a proxy, the proxy's. */
    readonly remoteAddress: string,
  ) {}

  /** The query's parameters; one that is repeated is an array. */
  get query(): Record<string, string | string[]> {
    return parseQuery(this.url);
  }
}

/** Parses the query of a request's URL into an object without a prototype. */
export function parseQuery(url: string): Record<string, string | string[]> {
  const query = Object.create(null) as Record<string, string | string[]>;
  const start = url.indexOf('?');
  if (start === -1) return query;
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    const existing = query[name];
    if (existing === undefined) query[name] = value;
    else if (Array.isArray(existing)) existing.push(value);
    else query[name] = [existing, value];
  }
  return query;
}
