import type { InjectionToken } from '@nestjs/common';
import type { RedisAdapterOptions } from '../../adapter/redis/redis-adapter.options';
import { StreamSourceOptionsError } from '../sources.errors';

/** An entry of a Redis stream. @publicApi */
export interface StreamEntry {
  /** As Redis gives it, such as `1718000000000-0`. */
  readonly id: string;
  /** Names and values, as UTF-8 text; of a name that comes twice, the last value. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What an entry becomes. @publicApi */
export interface StreamPublication {
  /** Within the patterns of `channels`. */
  channel: string;
  type: string;
  data?: unknown;
}

/**
 * Options of {@link redisStreamSource}. One of `url`, `options`, `client`, `useExisting`, `sentinels` and `cluster` says
 * where Redis is, as with `redisAdapter()`.
 *
 * @publicApi
 */
export interface RedisStreamSourceOptions
  extends Pick<RedisAdapterOptions, 'url' | 'options' | 'client' | 'sentinels' | 'cluster'> {
  /** The injection token of an ioredis client, which is duplicated. */
  useExisting?: InjectionToken;
  /** The stream's key, whole: no prefix is added. */
  key: string;
  /** Patterns of the channels that the stream feeds, such as `contract:{id}`. */
  channels: readonly string[];
  /**
   * What an entry becomes: any number of publications up to 1000. Called for each entry, on each instance, and again when a
   * client recovers: it must give the same for the same entry, and not wait for anything.
   */
  toPublications: (entry: StreamEntry) => readonly StreamPublication[];
  /** After which entry a starting instance begins: an id, or `$` for what comes from then on. @default '$' */
  from?: string;
  /** Entries that one recovery, replay or page of the history looks through at most; 0 or less means the default. @default 10000 */
  maxScan?: number;
  /** Whether to start when Redis cannot be reached, and to go on trying. @default false */
  lazy?: boolean;
}

/** {@link RedisStreamSourceOptions}, checked, without where Redis is. */
export interface StreamSettings {
  readonly key: string;
  readonly from: string;
  readonly maxScan: number;
  readonly lazy: boolean;
  readonly toPublications: RedisStreamSourceOptions['toPublications'];
}

const DEFAULT_MAX_SCAN = 10_000;
const ID = /^(?:\$|\d{1,20}(?:-\d{1,20})?)$/;

/** @throws StreamSourceOptionsError */
export function resolveStreamSettings(options: RedisStreamSourceOptions): StreamSettings {
  const { key, channels, toPublications, from = '$', lazy = false } = options;
  const maxScan = readMaxScan(options.maxScan);
  check('key', typeof key === 'string' && key !== '', 'the key of a stream');
  check('channels', Array.isArray(channels) && channels.length > 0, "a list of patterns, such as ['contract:{id}']");
  check('toPublications', typeof toPublications === 'function', 'a function from an entry to publications');
  check('from', typeof from === 'string' && ID.test(from), "'$' or the id of an entry");
  check('lazy', typeof lazy === 'boolean', 'true or false');
  return { key, from, maxScan, lazy, toPublications };
}

/** 0 or less means the default, as it does for the module's own limits. */
function readMaxScan(value: number = DEFAULT_MAX_SCAN): number {
  if (value <= 0) return DEFAULT_MAX_SCAN;
  check('maxScan', Number.isSafeInteger(value), 'a whole number');
  return value;
}

function check(option: string, valid: boolean, allowed: string): void {
  if (!valid) throw new StreamSourceOptionsError(option, allowed);
}
