import type { TestConnectOptions } from './test-client';

/** A token in the header, as programs send it. */
export const bearer = (token: string): TestConnectOptions => ({ headers: { authorization: `Bearer ${token}` } });

/** A token among the subprotocols, as browsers have to send it. */
export const bearerProtocols = (token: string): string[] => [
  'realtime.v1',
  `bearer.${Buffer.from(token).toString('base64url')}`,
];
