import type { AdapterContext } from '../../adapter-factory';
import { RedisAdapterOptionsError } from '../redis-adapter.errors';
import type { RedisAdapterOptions, RedisClusterOptions, RedisConnectionOptions, RedisSentinelOptions } from '../redis-adapter.options';
import type { RedisAdapterSettings } from '../redis-adapter.settings';
import { connectionOptions, type ConnectionPurpose, type ConnectionSource } from './connection-source';
import type { RedisNodeAddress } from './redis-node-address';
import { loadIoredis, type RedisClient, type RedisClusterClient, type RedisConstructor } from './redis-client';

const DEFAULT_PORT = 6379;
const PLACES = ['url', 'client', 'useExisting', 'sentinels', 'cluster'] as const;

/** Whether the options name a Redis at all. @throws RedisAdapterOptionsError when they name two */
export function namesRedis(options: RedisAdapterOptions): boolean {
  const named = PLACES.filter((place) => options[place] !== undefined && options[place] !== '');
  if (named.length > 1) {
    throw new RedisAdapterOptionsError(named.join(', '), named, 'one of them: each says where Redis is');
  }
  return named.length === 1 || hasAddress(options);
}

/** Beside an empty `url`, credentials alone do not mean a Redis on localhost. */
function hasAddress({ options, ...rest }: RedisAdapterOptions): boolean {
  if (options === undefined) return false;
  return !('url' in rest) || options.host !== undefined || options.port !== undefined || options.path !== undefined;
}

/** @throws RedisAdapterOptionsError, MissingIoredisError */
export function connectionSource(
  options: RedisAdapterOptions,
  settings: RedisAdapterSettings,
  context: AdapterContext,
): ConnectionSource {
  const shared = (purpose: ConnectionPurpose): Readonly<Record<string, unknown>> =>
    connectionOptions(purpose, settings.reconnect, settings.connectTimeout);
  const { useExisting } = options;
  const own = options.client ?? (useExisting === undefined ? undefined : context.resolve<object>(useExisting));
  if (own !== undefined) return fromClient(own, options.client ? 'client' : 'useExisting', shared);
  if (options.cluster) return fromCluster(loadIoredis(), options.cluster, options.options, shared);
  if (options.sentinels) return fromSentinels(loadIoredis(), options.sentinels, options.options, shared);
  return options.url ? fromUrl(loadIoredis(), options.url, options.options, shared) : fromOptions(loadIoredis(), options.options, shared);
}

type Shared = (purpose: ConnectionPurpose) => Readonly<Record<string, unknown>>;

function fromUrl(Redis: RedisConstructor, url: string, options: RedisConnectionOptions = {}, shared: Shared): ConnectionSource {
  let endpoint: string;
  try {
    const { protocol, host, pathname } = new URL(url);
    if (protocol !== 'redis:' && protocol !== 'rediss:') throw new TypeError(`not ${protocol}`);
    endpoint = `${protocol}//${host}${pathname}`;
  } catch {
    throw new RedisAdapterOptionsError('url', url, 'a URL such as redis://user:password@host:6379/0 or rediss://host');
  }
  return { endpoint, open: (purpose) => new Redis(url, { ...options, ...shared(purpose) }) };
}

function fromOptions(Redis: RedisConstructor, options: RedisConnectionOptions = {}, shared: Shared): ConnectionSource {
  const endpoint = options.path ?? addressOf({ host: options.host ?? 'localhost', port: options.port ?? DEFAULT_PORT });
  return { endpoint, open: (purpose) => new Redis({ ...options, ...shared(purpose) }) };
}

function fromSentinels(
  Redis: RedisConstructor,
  { nodes, name, username, password, tls }: RedisSentinelOptions,
  options: RedisConnectionOptions = {},
  shared: Shared,
): ConnectionSource {
  if (!Array.isArray(nodes) || nodes.length === 0) throw new RedisAdapterOptionsError('sentinels.nodes', nodes, 'a list of { host, port }');
  const sentinel = {
    sentinels: nodes.map(({ host, port }: RedisNodeAddress) => ({ host, port })),
    name,
    sentinelUsername: username,
    sentinelPassword: password,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  };
  return {
    endpoint: `${name} of the Sentinels ${nodes.map(addressOf).join(', ')}`,
    open: (purpose) => {
      const own = shared(purpose);
      const patience = { sentinelRetryStrategy: own.retryStrategy, sentinelCommandTimeout: own.connectTimeout };
      return new Redis({ ...options, ...sentinel, ...patience, ...own });
    },
  };
}

function fromCluster(
  Redis: RedisConstructor,
  { nodes, natMap = {} }: RedisClusterOptions,
  options: RedisConnectionOptions = {},
  shared: Shared,
): ConnectionSource {
  if (!Array.isArray(nodes) || nodes.length === 0) throw new RedisAdapterOptionsError('cluster.nodes', nodes, 'a list of { host, port }');
  const seeds = nodes.map(toAddress);
  return {
    endpoint: `the cluster ${seeds.map(addressOf).join(', ')}`,
    cluster: { seeds: () => seeds, translate: (address) => natMap[addressOf(address)] ?? address },
    open: (purpose, node) => new Redis({ ...options, ...shared(purpose), ...node, db: 0 }),
  };
}

function fromClient(client: object, option: string, shared: Shared): ConnectionSource {
  if (isCluster(client)) return fromClusterClient(client, shared);
  const redis = client as RedisClient;
  if (typeof redis.duplicate !== 'function' || typeof redis.callBuffer !== 'function') {
    throw new RedisAdapterOptionsError(option, client, 'a Redis or Cluster of ioredis 5 or 6');
  }
  const { host = 'localhost', port = DEFAULT_PORT, name } = redis.options as { host?: string; port?: number; name?: string };
  return { endpoint: name ?? addressOf({ host, port }), open: (purpose) => redis.duplicate(shared(purpose)) };
}

/** Connects to the nodes of an application's cluster by itself: a subscription per shard is more than `Cluster` offers. */
function fromClusterClient(cluster: RedisClusterClient, shared: Shared): ConnectionSource {
  const { redisOptions = {}, natMap } = cluster.options as {
    redisOptions?: Record<string, unknown>;
    natMap?: Record<string, RedisNodeAddress> | ((key: string) => RedisNodeAddress | null);
  };
  const known = cluster.nodes('all').map(({ options }) => ({ host: String(options.host), port: Number(options.port) }));
  const seeds = [...(cluster.startupNodes ?? []).map(toAddress), ...known];
  const Redis = loadIoredis();
  return {
    endpoint: `the cluster ${seeds.map(addressOf).join(', ')}`,
    cluster: {
      seeds: () => seeds,
      translate: (address) => {
        const key = addressOf(address);
        return (typeof natMap === 'function' ? natMap(key) : natMap?.[key]) ?? address;
      },
    },
    open: (purpose, node) => new Redis({ ...redisOptions, ...shared(purpose), ...node, db: 0 }),
  };
}

function isCluster(client: object): client is RedisClusterClient {
  return (client as { isCluster?: unknown }).isCluster === true;
}

function toAddress(node: unknown): RedisNodeAddress {
  if (typeof node === 'number') return { host: '127.0.0.1', port: node };
  if (typeof node === 'object' && node !== null) {
    const { host = '127.0.0.1', port = DEFAULT_PORT } = node as Partial<RedisNodeAddress>;
    return { host, port };
  }
  const url = new URL(String(node).includes('://') ? String(node) : `redis://${String(node)}`);
  return { host: url.hostname, port: Number(url.port || DEFAULT_PORT) };
}

function addressOf({ host, port }: RedisNodeAddress): string {
  return `${host}:${port}`;
}
