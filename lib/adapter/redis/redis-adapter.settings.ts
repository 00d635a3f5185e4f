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
    publishTimeout: positive('publishTimeout', options.publishTimeout, 2_000),
    commandTimeout: positive('commandTimeout', options.commandTimeout, 5_000),
    connectTimeout: positive('connectTimeout', options.connectTimeout, 10_000),
    queueSize: positive('queueSize', options.queueSize, 10_000),
    queueBytes: positive('queueBytes', options.queueBytes, 64 * 1024 * 1024),
    maxMessageBytes: positive('maxMessageBytes', options.maxMessageBytes, 1024 * 1024),
    reconnect: {
      initialDelay: positive('reconnect.initialDelay', reconnect?.initialDelay, 1_000),
      maxDelay: positive('reconnect.maxDelay', reconnect?.maxDelay, 30_000),
    },
    linger: whole('linger', options.linger, 1_000, 0),
    probe: {
      interval: positive('probe.interval', probe?.interval, 5_000),
      timeout: positive('probe.timeout', probe?.timeout, 3_000),
    },
    positionCheckInterval: positive('positionCheckInterval', options.positionCheckInterval, 20_000),
    positionTtl: whole('positionTtl', options.positionTtl, MONTH, 1, Number.MAX_SAFE_INTEGER),
    instances: {
      heartbeat: positive('instances.heartbeat', instances?.heartbeat, 2_500),
      deadAfter: positive('instances.deadAfter', instances?.deadAfter, 10_000),
    },
  };
  const { heartbeat, deadAfter } = settings.instances;
  check('instances.deadAfter', deadAfter, deadAfter >= 2 * heartbeat, 'at least twice instances.heartbeat');
  return settings;
}

function positive(option: string, value: number | undefined, byDefault: number): number {
  return whole(option, value, byDefault, 1);
}

function whole(option: string, value: unknown, byDefault: number, min: number, max = MAX_DELAY): number {
  if (value === undefined) return byDefault;
  check(option, value, Number.isInteger(value) && Number(value) >= min && Number(value) <= max, `a whole number from ${min} to ${max}`);
  return value as number;
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
