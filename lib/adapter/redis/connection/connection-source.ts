import type { ReconnectSettings } from '../redis-adapter.settings';
import type { RedisClient } from './redis-client';
import type { RedisNodeAddress } from './redis-node-address';

/** What a connection is for. Nothing else is sent on the one that listens. */
export type ConnectionPurpose = 'commands' | 'subscriber' | 'topology' | 'source' | 'source-reads';

/** Opens connections to Redis, all with the same credentials. */
export interface ConnectionSource {
  /** Where Redis is, without credentials. */
  readonly endpoint: string;
  /** Present for a Redis Cluster. */
  readonly cluster?: ClusterSource;
  /** Makes a connection, which does not connect yet. */
  open(purpose: ConnectionPurpose, node?: RedisNodeAddress): RedisClient;
}

export interface ClusterSource {
  /** Nodes of which any one that answers tells the others. */
  seeds(): readonly RedisNodeAddress[];
  /** From a node's own idea of its address to the one at which it can be reached from here. */
  translate(address: RedisNodeAddress): RedisNodeAddress;
}

/**
 * What every connection of the adapter needs, whatever the application has set for its own: nothing is queued or sent
 * again behind the adapter's back, because a publication that was sent twice would be delivered twice.
 */
export function connectionOptions(
  purpose: ConnectionPurpose,
  reconnect: ReconnectSettings,
  connectTimeout: number,
): Readonly<Record<string, unknown>> {
  return {
    lazyConnect: true,
    connectTimeout,
    // Connections are destroyed at once; ioredis's timer for those that do not end by themselves would hold the process.
    disconnectTimeout: 1,
    connectionName: `nestjs-realtime-${purpose}`,
    keyPrefix: '',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    commandTimeout: undefined,
    socketTimeout: undefined,
    readOnly: false,
    monitor: false,
    replyMapping: 'legacy',
    retryStrategy: isRetried(purpose) ? (attempt: number) => backoff(attempt, reconnect) : null,
    reconnectOnError: refusalTest(),
  };
}

/** For how long refusals are of what was sent before the first, in ms. */
const SAME_REFUSAL = 10;

/**
 * After a fail-over behind one address the old master refuses; a new connection finds the new one. All that was under way is
 * refused at the same moment, and ioredis would end the connection as many times.
 */
function refusalTest(): (error: Error) => boolean {
  let refusedAt = -Infinity;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() - refusedAt < SAME_REFUSAL) return false;
    refusedAt = performance.now();
    return true;
  };
}

/** The others are made anew by those who use them, who may have to look for another node first. */
function isRetried(purpose: ConnectionPurpose): boolean {
  return purpose === 'commands' || purpose === 'subscriber';
}

/** Doubles from attempt to attempt, spread over the upper half so that instances do not come back all at once. */
function backoff(attempt: number, { initialDelay, maxDelay }: ReconnectSettings): number {
  const delay = Math.min(maxDelay, initialDelay * 2 ** Math.min(attempt - 1, 20));
  return Math.round(delay * (0.5 + Math.random() / 2));
}
