import type { AdapterFactory } from '../adapter-factory';
import { memoryAdapter } from '../memory/memory-adapter.factory';
import { connectionSource, namesRedis } from './connection/connection-sources';
import { RedisAdapter } from './redis-adapter';
import type { RedisAdapterOptions } from './redis-adapter.options';
import { resolveRedisSettings } from './redis-adapter.settings';

/**
 * Connects instances over Redis 6.2 or later (a Cluster: 7.0 or later), by ioredis 5 or 6. An instance has two connections,
 * in a cluster two to each master.
 *
 * @param options where Redis is and how to use it; with an empty or absent `url` and nothing else the adapter is the
 * in-memory one
 * @throws RedisAdapterOptionsError for an option that cannot be used. At the application's start: MissingIoredisError,
 * and, unless `lazy`, RedisUnreachableError
 *
 * @example
 * RealtimeModule.forRootAsync({
 *   inject: [ConfigService],
 *   useFactory: (config: ConfigService) => ({ adapter: redisAdapter({ url: config.get('REDIS_URL') }) }),
 * });
 *
 * @example
 * redisAdapter({ useExisting: REDIS_CLIENT, prefix: 'chat', naming: 'rooms' });
 *
 * @publicApi
 */
export function redisAdapter(options: RedisAdapterOptions = {}): AdapterFactory {
  const settings = resolveRedisSettings(options);
  if (!namesRedis(options)) return memoryAdapter();
  return {
    create: (context) => new RedisAdapter(context, settings, connectionSource(options, settings, context)),
  };
}
