import { randomBytes } from 'node:crypto';
import type { CanActivate } from '@nestjs/common';
import type { DispatchLimits } from './channels/command-dispatcher';
import { ChannelRules, type ChannelSettings } from './hub/channel-settings';
import type { SlowConsumerPolicy } from './hub/frame';
import type { HubLimits, HubSettings } from './hub/hub-settings';
import { DEFAULT_CHANNEL_NAME_LENGTH } from './protocol/channel-name';
import { DEFAULT_ENVELOPE, type EnvelopeFields, FIXED_FIELDS } from './protocol/envelope';
import type { SourceFactory } from './sources/channel-source';
import { OptionsReader, RealtimeOptionsError } from './realtime.options-reader';
import type { RealtimeModuleOptions } from './realtime.options';
import type { GuardOption } from './transports/ws/guard-resolver';
import type { HeartbeatSettings } from './transports/ws/heartbeat';
import type { SseSettings } from './transports/sse/sse-gateway';
import { normalizeOrigin, type OriginOption } from './transports/ws/origin-policy';
import type { GatewaySettings } from './transports/ws/realtime.gateway';
import type { GateSettings } from './transports/ws/upgrade-gate';

/** Injection token of the module's checked options. */
export const REALTIME_SETTINGS = Symbol('REALTIME_SETTINGS');

/** The module's options, checked, with every default filled in. */
export interface RealtimeSettings {
  readonly hub: HubSettings;
  readonly rules: ChannelRules;
  readonly sources: readonly SourceFactory[];
  readonly gateway: GatewaySettings;
  /** undefined: no Server-Sent Events. */
  readonly sse: SseSettings | undefined;
  readonly dispatch: DispatchLimits;
  readonly guards: readonly GuardOption[];
  readonly gate: GateSettings;
  readonly options: RealtimeModuleOptions;
}

const FIELDS = [
  'path', 'guards', 'auth', 'origins', 'heartbeat', 'limits', 'slowConsumer', 'channels', 'adapter', 'envelope', 'welcome', 'compression',
  'sse', 'recovery', 'roomChannel', 'shutdown', 'sources', 'validation',
];
const LIMIT_FIELDS = [
  'maxMessageBytes', 'sendQueueBytes', 'sendQueueFrames', 'subscriptionsPerConnection', 'connections',
  'connectionsPerUser', 'channelNameLength', 'messagesPerSecond', 'pendingCommands',
  'handshakeTimeout',
];
const POLICIES: readonly SlowConsumerPolicy[] = ['disconnect', 'drop', 'latest'];

/** @throws RealtimeOptionsError, ChannelPatternError, DuplicatePatternError */
export function resolveSettings(options: RealtimeModuleOptions | null | undefined): RealtimeSettings {
  if (!options) throw new RealtimeOptionsError('options', options, 'an object (does the factory return one?)');
  const reader = new OptionsReader('', options, FIELDS);
  const limits = readLimits(reader.raw('limits'));
  const slowConsumer = readSlowConsumer(reader);
  const envelope = readEnvelope(reader.raw('envelope'));
  checkAuth(reader.raw('auth'));
  checkAdapter(reader);
  checkValidation(reader);
  const rules = readChannels(reader, slowConsumer.policy);
  const sources = readSources(reader, rules);
  const gateway: GatewaySettings = {
    path: readPath(reader),
    maxMessageBytes: limits.maxMessageBytes,
    heartbeat: readHeartbeat(reader.raw('heartbeat'), slowConsumer.writeTimeout),
    welcome: reader.flag('welcome', true),
    compression: readCompression(reader),
  };
  return {
    hub: {
      instanceId: randomBytes(16).toString('hex'),
      envelope,
      limits,
      shutdown: readShutdown(reader.raw('shutdown')),
      recovery: readRecovery(reader.raw('recovery')),
    },
    rules,
    sources,
    gateway,
    sse: readSse(reader, gateway),
    dispatch: limits,
    guards: readGuards(reader),
    gate: {
      origins: readOrigins(reader),
      roomChannel: readRoomChannel(reader),
      handshakeTimeout: limits.handshakeTimeout,
      onFailure: options.auth?.onFailure,
    },
    options,
  };
}

type Limits = HubLimits & DispatchLimits & { maxMessageBytes: number };

function readLimits(value: unknown): Limits {
  const limits = new OptionsReader('limits', value, LIMIT_FIELDS);
  return {
    maxMessageBytes: limits.count('maxMessageBytes', 65_536),
    sendQueueBytes: limits.count('sendQueueBytes', 1_048_576),
    sendQueueFrames: limits.count('sendQueueFrames', 256),
    subscriptionsPerConnection: limits.count('subscriptionsPerConnection', 1024),
    connections: limits.count('connections', 100_000),
    connectionsPerUser: limits.count('connectionsPerUser', Infinity),
    channelNameLength: limits.count('channelNameLength', DEFAULT_CHANNEL_NAME_LENGTH),
    messagesPerSecond: limits.count('messagesPerSecond', Infinity),
    pendingCommands: limits.count('pendingCommands', 64),
    handshakeTimeout: limits.timeout('handshakeTimeout', 10_000),
  };
}

function readHeartbeat(value: unknown, writeTimeout: number): HeartbeatSettings {
  const heartbeat = new OptionsReader('heartbeat', value, ['interval', 'timeout']);
  const interval = heartbeat.timeout('interval', 30_000);
  const timeout = heartbeat.timeout('timeout', 60_000);
  return { interval, timeout: timeout <= interval ? 2 * interval : timeout, writeTimeout };
}

function readSlowConsumer(options: OptionsReader): { policy: SlowConsumerPolicy; writeTimeout: number } {
  const value = options.raw('slowConsumer');
  const group = typeof value === 'string' ? { policy: value } : value;
  const reader = new OptionsReader('slowConsumer', group, ['policy', 'writeTimeout'], "'disconnect', 'drop', 'latest' or ");
  return { policy: reader.choice('policy', POLICIES, 'disconnect'), writeTimeout: reader.timeout('writeTimeout', 10_000) };
}

/** The bytes below which compressing costs more than it saves. */
const COMPRESSION_THRESHOLD = 1024;

function readCompression(options: OptionsReader): GatewaySettings['compression'] {
  const value = options.raw('compression') ?? false;
  if (typeof value === 'boolean') return value ? { threshold: COMPRESSION_THRESHOLD } : undefined;
  const reader = new OptionsReader('compression', value, ['threshold'], 'true, false or ');
  const threshold = reader.raw('threshold') ?? COMPRESSION_THRESHOLD;
  if (typeof threshold !== 'number' || !(threshold >= 0)) return reader.fail('threshold', 'a number of bytes');
  return { threshold };
}

/** Each adds some 45 characters to the ids, which clients send back in a header. */
const MAX_STREAM_CHANNELS = 128;

function readSse(options: OptionsReader, { path, heartbeat, welcome }: GatewaySettings): SseSettings | undefined {
  const value = options.raw('sse') ?? true;
  if (value === false) return undefined;
  const reader = new OptionsReader('sse', value === true ? {} : value, ['channels'], 'true, false or ');
  const maxChannels = reader.count('channels', 64);
  if (maxChannels > MAX_STREAM_CHANNELS) reader.fail('channels', `a whole number up to ${MAX_STREAM_CHANNELS}`);
  return { path: `${path === '/' ? '' : path}/events`, maxChannels, heartbeat, welcome };
}

function readShutdown(value: unknown): HubSettings['shutdown'] {
  const shutdown = new OptionsReader('shutdown', value, ['timeout', 'reconnectSpread']);
  return { timeout: shutdown.timeout('timeout', 10_000), reconnectSpread: shutdown.timeout('reconnectSpread', 5_000) };
}

function readRecovery(value: unknown): HubSettings['recovery'] {
  const recovery = new OptionsReader('recovery', value, ['maxPublications', 'maxBytes']);
  const bounds = { maxPublications: recovery.count('maxPublications', 10_000), maxBytes: recovery.count('maxBytes', 4 * 1024 * 1024) };
  if (bounds.maxPublications === Infinity) recovery.fail('maxPublications', 'a whole number');
  if (bounds.maxBytes === Infinity) recovery.fail('maxBytes', 'a whole number');
  return bounds;
}

function readChannels(options: OptionsReader, policy: SlowConsumerPolicy): ChannelRules {
  const channels = options.raw('channels') ?? {};
  if (typeof channels !== 'object' || Array.isArray(channels)) options.fail('channels', 'an object of patterns and their options');
  const rules = new ChannelRules({ history: undefined, presence: undefined, policy });
  for (const [pattern, value] of Object.entries(channels)) rules.define(pattern, readChannel(pattern, value, policy));
  return rules;
}

function readChannel(pattern: string, value: unknown, policy: SlowConsumerPolicy): ChannelSettings {
  const name = `channels[${JSON.stringify(pattern)}]`;
  const channel = new OptionsReader(name, value, ['history', 'presence', 'slowConsumer']);
  return {
    history: channel.has('history') ? readHistory(`${name}.history`, channel.raw('history')) : undefined,
    presence: readPresence(name, channel),
    policy: channel.choice('slowConsumer', POLICIES, policy),
  };
}

function readHistory(name: string, value: unknown): ChannelSettings['history'] {
  const history = new OptionsReader(name, value, ['size', 'ttl', 'maxAge']);
  const size = history.count('size', 0);
  if (size < 1 || size === Infinity) history.fail('size', 'a whole number of at least 1');
  const ttl = history.duration('ttl', 0);
  if (ttl <= 0) history.fail('ttl', "a number of ms above 0, or text such as '10m'");
  const maxAge = history.duration('maxAge', 0);
  return maxAge > 0 ? { size, ttl, maxAge } : { size, ttl };
}

/** Time for a client to notice that its connection is lost and to come back, in ms. */
const GRACE_PERIOD = 2_000;

function readPresence(name: string, channel: OptionsReader): ChannelSettings['presence'] {
  const value = channel.raw('presence') ?? false;
  if (value === false) return undefined;
  const presence = new OptionsReader(`${name}.presence`, value === true ? {} : value, ['announce', 'gracePeriod'], 'true, false or ');
  // Here 0 is a time like any other: at once.
  const gracePeriod = presence.has('gracePeriod') ? presence.timeout('gracePeriod', 0) : GRACE_PERIOD;
  return { announce: presence.flag('announce', true), gracePeriod };
}

function readEnvelope(value: unknown): EnvelopeFields {
  const reader = new OptionsReader('envelope', value, ['type', 'data']);
  const envelope = { ...DEFAULT_ENVELOPE };
  for (const field of ['type', 'data'] as const) {
    const name = reader.raw(field) ?? DEFAULT_ENVELOPE[field];
    const allowed = `a field name other than ${FIXED_FIELDS.join(', ')}`;
    if (typeof name !== 'string' || name === '' || isTaken(name)) return reader.fail(field, allowed);
    envelope[field] = name;
  }
  if (envelope.type === envelope.data) reader.fail('data', 'a name other than that of "type"');
  return envelope;
}

/** By the envelope itself, or by what every object has. */
function isTaken(name: string): boolean {
  return FIXED_FIELDS.includes(name) || name in Object.prototype;
}

function readPath(options: OptionsReader): string {
  const path = options.raw('path') ?? '/ws';
  if (typeof path !== 'string' || !path.startsWith('/') || /[?#*:\s]/.test(path)) {
    return options.fail('path', "a path such as '/ws'");
  }
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function readGuards(options: OptionsReader): readonly GuardOption[] {
  const guards = options.raw('guards') ?? [];
  if (!Array.isArray(guards) || !guards.every(isGuard)) options.fail('guards', 'a list of guards (classes or objects with canActivate)');
  return guards as readonly GuardOption[];
}

function isGuard(value: unknown): boolean {
  const target = typeof value === 'function' ? (value.prototype as unknown) : value;
  return typeof (target as CanActivate | undefined)?.canActivate === 'function';
}

function readOrigins(options: OptionsReader): OriginOption | undefined {
  const origins = options.raw('origins');
  if (origins === undefined || origins === '*' || typeof origins === 'function') return origins as OriginOption | undefined;
  const list = Array.isArray(origins) ? origins.map(readOrigin) : [undefined];
  if (list.includes(undefined)) {
    return options.fail('origins', "'*', a list of origins such as ['https://app.example.com'], or a function");
  }
  return list as string[];
}

function readOrigin(origin: unknown): string | undefined {
  return typeof origin === 'string' ? normalizeOrigin(origin) : undefined;
}

function readRoomChannel(options: OptionsReader): (room: string) => string {
  const value = options.raw('roomChannel') ?? 'room:{room}';
  if (typeof value === 'function') return value as (room: string) => string;
  if (typeof value !== 'string' || !value.includes('{room}')) {
    return options.fail('roomChannel', "text with {room} in it, such as 'room:{room}', or a function");
  }
  return (room) => value.replace('{room}', () => room);
}

/** How much a source keeps is for it to say. */
const SOURCE_HISTORY = { size: Infinity, ttl: Infinity };

function readSources(options: OptionsReader, rules: ChannelRules): readonly SourceFactory[] {
  const sources = options.raw('sources') ?? [];
  if (!Array.isArray(sources) || !sources.every(isSource)) options.fail('sources', 'a list of sources, such as redisStreamSource({ … })');
  const factories = sources as readonly SourceFactory[];
  for (const pattern of factories.flatMap(({ channels }) => channels)) rules.defineSourced(pattern, SOURCE_HISTORY);
  return factories;
}

function isSource(value: unknown): boolean {
  const { create, channels } = (value ?? {}) as Partial<SourceFactory>;
  return typeof create === 'function' && Array.isArray(channels);
}

function checkAuth(value: unknown): void {
  const auth = new OptionsReader('auth', value, ['authenticator', 'onFailure']);
  if (auth.has('onFailure') && typeof auth.raw('onFailure') !== 'function') auth.fail('onFailure', 'a function');
}

function checkAdapter(options: OptionsReader): void {
  const adapter = options.raw('adapter') as { create?: unknown } | undefined;
  if (adapter !== undefined && typeof adapter?.create !== 'function') {
    options.fail('adapter', 'an adapter factory, such as redisAdapter({ url }) or memoryAdapter()');
  }
}

function checkValidation(options: OptionsReader): void {
  const validation = options.raw('validation') ?? {};
  if (validation !== false && (typeof validation !== 'object' || Array.isArray(validation))) {
    options.fail('validation', "options of Nest's ValidationPipe, or false");
  }
}
