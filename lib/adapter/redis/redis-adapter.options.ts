import type { InjectionToken } from '@nestjs/common';
import type { HubBusyError } from '../adapter.errors';
import type { RedisNodeAddress } from './connection/redis-node-address';
import type { RedisNaming } from './redis-names';

/**
 * Connection options as ioredis's constructor takes them; the usual ones are listed. For any other, make the client
 * yourself and pass it as `client`.
 *
 * @publicApi
 */
export interface RedisConnectionOptions {
  host?: string;
  port?: number;
  /** A Unix socket. */
  path?: string;
  /** 4 or 6; 0: either. */
  family?: number;
  /** User of an ACL. */
  username?: string;
  password?: string;
  /** Database; not in a cluster. */
  db?: number;
  /** Options of `tls.connect`; `{}` for TLS as it is by default. */
  tls?: object;
  keepAlive?: number;
  noDelay?: boolean;
}

/** Redis behind Sentinels. @publicApi */
export interface RedisSentinelOptions {
  /** The Sentinels; one that answers is enough. */
  nodes: readonly RedisNodeAddress[];
  /** The name that the Sentinels know the master by, such as `mymaster`. */
  name: string;
  /** The Sentinels' own credentials, where they have any. */
  username?: string;
  password?: string;
  /** Whether to speak TLS with the Sentinels. @default false */
  tls?: object;
}

/** A Redis Cluster. @publicApi */
export interface RedisClusterOptions {
  /** Some of its nodes; one that answers tells the others. */
  nodes: readonly (string | RedisNodeAddress)[];
  /** From `host:port` as the cluster says it to the address at which it can be reached from here. */
  natMap?: Readonly<Record<string, RedisNodeAddress>>;
}

/**
 * Where Redis is, and how to use it. Exactly one of `url`, `options` (with an address), `client`, `useExisting`,
 * `sentinels` and `cluster` says where. With an empty or absent `url` and none of the others there is no Redis: the
 * adapter is the in-memory one, and ioredis is not even loaded.
 *
 * Times are ms or text such as `'30s'`. A figure or time of 0 or less means the default, but for `linger`.
 *
 * @publicApi
 */
export interface RedisAdapterOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database. */
  url?: string;
  /** Connection options: alone they say where Redis is; beside `url`, `sentinels` or `cluster` they add to it. */
  options?: RedisConnectionOptions;
  /** An ioredis client (`Redis` or `Cluster`) of your own. It is duplicated, never used itself and never closed. */
  client?: object;
  /** The injection token of such a client. */
  useExisting?: InjectionToken;
  /** Redis behind Sentinels. */
  sentinels?: RedisSentinelOptions;
  /** A Redis Cluster (7.0 or later), with sharded pub/sub. */
  cluster?: RedisClusterOptions;

  /** First part of all names in Redis. @default 'realtime' */
  prefix?: string;
  /** How pub/sub channels are called. @default 'channels' */
  naming?: RedisNaming;
  /** Whether to start when Redis cannot be reached, and to go on trying. @default false */
  lazy?: boolean;

  /** How long a publication may take, in ms. @default 2000 */
  publishTimeout?: number | string;
  /** How long anything else may take: reading a history, subscribing, presence; in ms. @default 5000 */
  commandTimeout?: number | string;
  /** How long a connection attempt may take, in ms. @default 10000 */
  connectTimeout?: number | string;
  /** Publications that may wait for Redis; one more is refused with `HubBusyError`. @default 10000 */
  queueSize?: number;
  /** Bytes of publications that may wait for Redis. @default 67108864 */
  queueBytes?: number;
  /** Called with each `HubBusyError`. It must not throw. */
  onBusy?: (error: HubBusyError) => void;
  /** Largest message between instances in bytes; larger ones are refused, and skipped when they come in. @default 1048576 */
  maxMessageBytes?: number;
  /** Delays before reconnections in ms: the first, doubled from attempt to attempt up to the last. @default 1000 and 30000 */
  reconnect?: { initialDelay?: number | string; maxDelay?: number | string };
  /** How long a channel stays subscribed to in Redis after its last subscriber has left, in ms; 0: not at all. @default 1000 */
  linger?: number | string;
  /** How often each listening connection is tried by a message to itself, and how long that may take, in ms. @default 5000 and 3000 */
  probe?: { interval?: number | string; timeout?: number | string };
  /** How often channels with history are compared with where their history stands, in ms. @default 20000 */
  positionCheckInterval?: number | string;
  /** How long a channel's position is known after it was last used, in ms; at least the history's ttl. @default 30 days */
  positionTtl?: number | string;
  /** How often an instance says that it is alive, and the silence after which it is taken for dead, in ms. @default 2500 and 10000 */
  instances?: { heartbeat?: number | string; deadAfter?: number | string };
}
