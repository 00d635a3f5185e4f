import ms, { type StringValue } from 'ms';
import type { HubBusyError } from '../adapter.errors';
import { RedisAdapterOptionsError } from './redis-adapter.errors';
import type { RedisAdapterOptions } from './redis-adapter.options';
import type { RedisNaming } from './redis-names';

/** Delays before reconnections, in ms. */
export interface ReconnectSettings {
  readonly initialDelay: number;
  readonly maxDelay: number;
}

/** {@link RedisAdapterOptions} without where Redis is: checked, every default filled in. Times in ms. */
export interface RedisAdapterSettings {
  readonly prefix: string;
  readonly naming: RedisNaming;
  readonly lazy: boolean;
  readonly publishTimeout: number;
  readonly commandTimeout: number;
  readonly connectTimeout: number;
  readonly queueSize: number;
  readonly queueBytes: number;
  readonly onBusy: ((error: HubBusyError) => void) | undefined;
  readonly maxMessageBytes: number;
  readonly reconnect: ReconnectSettings;
  readonly linger: number;
  readonly probe: { readonly interval: number; readonly timeout: number };
  readonly positionCheckInterval: number;
  readonly positionTtl: number;
  readonly instances: { readonly heartbeat: number; readonly deadAfter: number };
}

const MONTH = 30 * 24 * 60 * 60 * 1000;
/** Longest delay of a timer in Node. */
const MAX_DELAY = 2 ** 31 - 1;
/** Longest text that is looked at; `ms` itself takes up to 100 characters. */
const MAX_DURATION_LENGTH = 32;
const PREFIX = /^[\w.:/-]{1,64}$/;

/** @throws RedisAdapterOptionsError */
export function resolveRedisSettings(options: RedisAdapterOptions): RedisAdapterSettings {
  const { prefix = 'realtime', naming = 'channels', lazy = false, onBusy, reconnect, probe, instances } = options;
  check('prefix', prefix, typeof prefix === 'string' && PREFIX.test(prefix), '1 to 64 characters out of A-Z a-z 0-9 _ . : / -');
  check('naming', naming, isNaming(naming), "'channels', 'rooms' or { broadcast, channel(name) }");
  check('lazy', lazy, typeof lazy === 'boolean', 'true or false');
  check('onBusy', onBusy, onBusy === undefined || typeof onBusy === 'function', 'a function');

  const settings: RedisAdapterSettings = {
    prefix,
    naming,
    lazy,
    onBusy,
    publishTimeout: time('publishTimeout', options.publishTimeout, 2_000),
    commandTimeout: time('commandTimeout', options.commandTimeout, 5_000),
    connectTimeout: time('connectTimeout', options.connectTimeout, 10_000),
    queueSize: count('queueSize', options.queueSize, 10_000),
    queueBytes: count('queueBytes', options.queueBytes, 64 * 1024 * 1024),
    maxMessageBytes: count('maxMessageBytes', options.maxMessageBytes, 1024 * 1024),
    reconnect: {
      initialDelay: time('reconnect.initialDelay', reconnect?.initialDelay, 1_000),
      maxDelay: time('reconnect.maxDelay', reconnect?.maxDelay, 30_000),
    },
    linger: time('linger', options.linger, 1_000, { zero: 0 }),
    probe: {
      interval: time('probe.interval', probe?.interval, 5_000),
      timeout: time('probe.timeout', probe?.timeout, 3_000),
    },
    positionCheckInterval: time('positionCheckInterval', options.positionCheckInterval, 20_000),
    positionTtl: time('positionTtl', options.positionTtl, MONTH, { max: Number.MAX_SAFE_INTEGER }),
    instances: {
      heartbeat: time('instances.heartbeat', instances?.heartbeat, 2_500),
      deadAfter: time('instances.deadAfter', instances?.deadAfter, 10_000),
    },
  };
  const { heartbeat, deadAfter } = settings.instances;
  check('instances.deadAfter', deadAfter, deadAfter >= 2 * heartbeat, 'at least twice instances.heartbeat');
  return settings;
}

/** A whole number. 0 or less means the default, as does its absence. */
function count(option: string, value: unknown, byDefault: number): number {
  const figure = value ?? byDefault;
  if (typeof figure === 'number' && figure <= 0) return byDefault;
  check(option, value, Number.isInteger(figure) && Number(figure) <= MAX_DELAY, `a whole number from 1 to ${MAX_DELAY}`);
  return figure as number;
}

/** A length of time in whole ms. Less than 0 means the default, as does its absence; so does 0 unless `zero` says otherwise. */
function time(option: string, value: unknown, byDefault: number, { zero = byDefault, max = MAX_DELAY } = {}): number {
  const given = value ?? byDefault;
  const length = typeof given === 'string' ? parseDuration(given) : given;
  const valid = typeof length === 'number' && Number.isFinite(length) && length <= max;
  check(option, value, valid, `a number of ms up to ${max}, or text such as '30s'`);
  if (Number(length) <= 0) return Number(length) === 0 ? zero : byDefault;
  return Math.ceil(Number(length));
}

function parseDuration(text: string): number | undefined {
  return text.length === 0 || text.length > MAX_DURATION_LENGTH ? undefined : ms(text as StringValue);
}

function check(option: string, value: unknown, valid: boolean, allowed: string): void {
  if (!valid) throw new RedisAdapterOptionsError(option, value, allowed);
}

function isNaming(naming: unknown): naming is RedisNaming {
  if (naming === 'channels' || naming === 'rooms') return true;
  if (typeof naming !== 'object' || naming === null) return false;
  const { broadcast, channel } = naming as Record<string, unknown>;
  return typeof broadcast === 'string' && broadcast !== '' && typeof channel === 'function';
}
