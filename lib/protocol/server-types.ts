/**
 * Types that only the server sends (PROTOCOL.md, "Server to client"). A client that published one would speak to others in
 * the server's name.
 */
export const SERVER_TYPES: ReadonlySet<string> = new Set([
  'connected',
  'subscribed',
  'unsubscribed',
  'ack',
  'pong',
  'refreshed',
  'error',
  'join',
  'leave',
  'reset',
  'draining',
  'disconnected',
]);
