import { connectionSource, namesRedis } from '../../adapter/redis/connection/connection-sources';
import type { ConnectionSource } from '../../adapter/redis/connection/connection-source';
import { RedisAdapterOptionsError } from '../../adapter/redis/redis-adapter.errors';
import type { RedisAdapterOptions } from '../../adapter/redis/redis-adapter.options';
import { resolveRedisSettings } from '../../adapter/redis/redis-adapter.settings';
import type { SourceContext, SourceFactory } from '../channel-source';
import { StreamSourceOptionsError } from '../sources.errors';
import { RedisStream } from './redis-stream';
import { type RedisStreamSourceOptions, resolveStreamSettings } from './redis-stream.options';

/**
 * Feeds channels from a Redis stream that somebody else writes. Every instance reads the whole stream by itself, over one
 * connection that waits for new entries and one for recoveries, and gives each entry to its own subscribers. The stream is
 * the channels' history: a client recovers from it for as long as it holds the entry that the client saw last. Nobody can
 * publish to these channels.
 *
 * @param options which stream, where, and what its entries become
 * @throws StreamSourceOptionsError for an option that cannot be used. At the application's start:
 * StreamSourceUnreachableError, unless `lazy`, and MissingIoredisError
 *
 * @example
 * redisStreamSource({
 *   url: process.env.REDIS_URL,
 *   key: 'contract-events',
 *   channels: ['contract:{id}'],
 *   toPublications: ({ id, fields }) => [
 *     { channel: `contract:${fields.contract_id}`, type: 'contract_event', data: { id, ...fields } },
 *   ],
 * });
 *
 * @publicApi
 */
export function redisStreamSource(options: RedisStreamSourceOptions): SourceFactory {
  const settings = resolveStreamSettings(options);
  const { url, client, useExisting, sentinels, cluster, options: connection } = options;
  const where: RedisAdapterOptions = { url, options: connection, client, useExisting, sentinels, cluster };
  if (!named(() => namesRedis(where))) {
    throw new StreamSourceOptionsError('url', 'a URL such as redis://host:6379, unless "options", "client", "useExisting", "sentinels" or "cluster" says where Redis is');
  }
  return {
    channels: options.channels,
    create: (context) => new RedisStream(context, settings, options.channels, named(() => connect(where, context))),
  };
}

function connect(where: RedisAdapterOptions, context: SourceContext): ConnectionSource {
  return connectionSource(where, resolveRedisSettings({}), context);
}

/** The options are those of `redisAdapter()`; an error must name the function that they were given to. */
function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RedisAdapterOptionsError)) throw error;
    throw new StreamSourceOptionsError(error.option, error.message.replace(/^.*? must be (.*)\.$/, '$1'), error);
  }
}
