import { Injectable } from '@nestjs/common';
import { DuplicatePatternError } from '../../../lib/hub/pattern-router';
import { ChannelPatternError } from '../../../lib/protocol/channel-pattern';
import { FIXED_FIELDS } from '../../../lib/protocol/envelope';
import { RealtimeOptionsError } from '../../../lib/realtime.options-reader';
import { type RealtimeSettings, resolveSettings } from '../../../lib/realtime.settings';
import { thrownBy } from '../../support/thrown-by';

@Injectable()
class AnyGuard {
  canActivate(): boolean {
    return true;
  }
}

/** Options as a JavaScript program, or a configuration file, might give them. */
const resolve = (options: object): RealtimeSettings => resolveSettings(options);

function errorOf(options: object): RealtimeOptionsError {
  const error = thrownBy(() => resolve(options));
  expect(error).toBeInstanceOf(RealtimeOptionsError);
  return error as RealtimeOptionsError;
}

/** `{ limits: { connections: 5 } }` for `limits.connections` and 5. */
function nested(option: string, value: unknown): object {
  return option.split('.').reduceRight<unknown>((inner, field) => ({ [field]: inner }), value) as object;
}

type Read = (settings: RealtimeSettings) => unknown;
/** Longest time that a timer of Node can run. */
const LONGEST_TIMER = 2 ** 31 - 1;

const counts: [option: string, fallback: number, read: Read][] = [
  ['limits.maxMessageBytes', 65_536, ({ gateway }) => gateway.maxMessageBytes],
  ['limits.sendQueueBytes', 1_048_576, ({ hub }) => hub.limits.sendQueueBytes],
  ['limits.sendQueueFrames', 256, ({ hub }) => hub.limits.sendQueueFrames],
  ['limits.subscriptionsPerConnection', 1024, ({ hub }) => hub.limits.subscriptionsPerConnection],
  ['limits.connections', 100_000, ({ hub }) => hub.limits.connections],
  ['limits.connectionsPerUser', Infinity, ({ hub }) => hub.limits.connectionsPerUser],
  ['limits.channelNameLength', 256, ({ hub }) => hub.limits.channelNameLength],
  ['limits.messagesPerSecond', Infinity, ({ dispatch }) => dispatch.messagesPerSecond],
  ['limits.pendingCommands', 64, ({ dispatch }) => dispatch.pendingCommands],
];

const durations: [option: string, fallback: number, read: Read][] = [
  ['limits.handshakeTimeout', 10_000, ({ gate }) => gate.handshakeTimeout],
  ['heartbeat.interval', 30_000, ({ gateway }) => gateway.heartbeat.interval],
  ['heartbeat.timeout', 60_000, ({ gateway }) => gateway.heartbeat.timeout],
  ['slowConsumer.writeTimeout', 10_000, ({ gateway }) => gateway.heartbeat.writeTimeout],
  ['shutdown.timeout', 10_000, ({ hub }) => hub.shutdown.timeout],
  ['shutdown.reconnectSpread', 5_000, ({ hub }) => hub.shutdown.reconnectSpread],
];

describe('resolveSettings', () => {
  describe.each(counts)('%s', (option, fallback, read) => {
    it(`is ${fallback} by default, and for 0 and less`, () => {
      for (const options of [{}, nested(option, undefined), nested(option, null), nested(option, 0), nested(option, -5), nested(option, -0.5)]) {
        expect(read(resolve(options))).toBe(fallback);
      }
    });

    it.each([1, 7, 2 ** 40, Infinity])('may be %d', (value) => {
      expect(read(resolve(nested(option, value)))).toBe(value);
    });

    it.each([1.5, Number.NaN, '5', '', true, {}, [], 5n, () => 5])('may not be %p', (value) => {
      expect(errorOf(nested(option, value))).toMatchObject({ option, value, allowed: 'a whole number' });
    });
  });

  describe.each(durations)('%s', (option, fallback, read) => {
    it(`is ${fallback} ms by default, and for 0 and less`, () => {
      for (const options of [{}, nested(option, undefined), nested(option, null), nested(option, 0), nested(option, -5), nested(option, '-5s')]) {
        expect(read(resolve(options))).toBe(fallback);
      }
    });

    it.each([
      [70_000, 70_000],
      ['70s', 70_000],
      ['2m', 120_000],
      ['1.5h', 5_400_000],
      ['70000', 70_000],
      [70_000.25, 70_001],
      [LONGEST_TIMER, LONGEST_TIMER],
    ])('may be %p', (value, expected) => {
      expect(read(resolve(nested(option, value)))).toBe(expected);
    });

    it.each(['soon', '', '5 parsecs', 'x'.repeat(500), Number.NaN, Infinity, true, {}, [], '30d', LONGEST_TIMER + 1])('may not be %p', (value) => {
      const error = errorOf(nested(option, value));
      expect(error).toMatchObject({ option, value });
      expect(error.message).toContain(`"${option}"`);
      expect(error.message).toContain("'30s'");
    });
  });

  describe('heartbeat', () => {
    it.each([
      [{ interval: 1000, timeout: 1000 }, 2000],
      [{ interval: '1m', timeout: '30s' }, 120_000],
      [{ interval: 60_000 }, 120_000],
      [{ timeout: 100 }, 60_000],
      [{ interval: 1000, timeout: 1001 }, 1001],
      [{ interval: -1, timeout: -1 }, 60_000],
    ])('%j: a timeout at or under the interval is twice the interval', (heartbeat, timeout) => {
      expect(resolve({ heartbeat }).gateway.heartbeat.timeout).toBe(timeout);
    });
  });

  describe('path', () => {
    it.each([
      [undefined, '/ws'],
      ['/', '/'],
      ['/realtime', '/realtime'],
      ['/a/b/', '/a/b'],
    ])('%j is %j', (path, expected) => {
      expect(resolve({ path }).gateway.path).toBe(expected);
    });

    it.each(['', 'ws', '/ws?x', '/ws#x', '/ws/:room', '/*', '/w s', 5, {}])('may not be %j', (path) => {
      expect(errorOf({ path })).toMatchObject({ option: 'path', value: path });
    });
  });

  describe('slowConsumer', () => {
    it.each([
      [undefined, 'disconnect'],
      ['drop', 'drop'],
      [{ policy: 'latest' }, 'latest'],
      [{}, 'disconnect'],
    ])('%j means %s for channels that say nothing else', (slowConsumer, policy) => {
      const { rules } = resolve({ slowConsumer, channels: { a: {}, b: { slowConsumer: 'latest' } } });
      expect([rules.for('a').policy, rules.for('b').policy, rules.for('other').policy]).toEqual([policy, 'latest', policy]);
    });

    it.each(['wait', { policy: 'wait' }, { policy: 5 }])('may not be %j', (slowConsumer) => {
      expect(errorOf({ slowConsumer }).option).toBe('slowConsumer.policy');
      expect(errorOf({ slowConsumer }).message).toContain("'disconnect', 'drop', 'latest'");
    });
  });

  describe('channels', () => {
    it('are none by default', () => {
      expect(resolve({}).rules.isDeclared('room')).toBe(false);
      expect(resolve({}).rules.for('room')).toEqual({ history: undefined, presence: undefined, policy: 'disconnect' });
    });

    it('are read with all they say', () => {
      const { rules } = resolve({ channels: { 'room:{name}': { history: { size: 10, ttl: '10m', maxAge: '1m' }, presence: true } } });
      expect(rules.for('room:a')).toEqual({
        history: { size: 10, ttl: 600_000, maxAge: 60_000 },
        presence: { announce: true, gracePeriod: 2000 },
        policy: 'disconnect',
      });
    });

    it.each([
      [undefined, undefined],
      [false, undefined],
      [true, { announce: true, gracePeriod: 2000 }],
      [{}, { announce: true, gracePeriod: 2000 }],
      [{ announce: false }, { announce: false, gracePeriod: 2000 }],
      [{ gracePeriod: '5s' }, { announce: true, gracePeriod: 5000 }],
      [{ gracePeriod: 0 }, { announce: true, gracePeriod: 0 }],
    ])('presence %j is %j', (presence, expected) => {
      expect(resolve({ channels: { a: { presence } } }).rules.for('a').presence).toEqual(expected);
    });

    it('may keep a history for longer than a timer can run', () => {
      const { rules } = resolve({ channels: { a: { history: { size: 1, ttl: '90d' } } } });
      expect(rules.for('a').history).toEqual({ size: 1, ttl: 90 * 24 * 3_600_000 });
    });

    it('take a history in whole milliseconds', () => {
      const { rules } = resolve({ channels: { a: { history: { size: 1, ttl: 0.5, maxAge: 1.2 } } } });
      expect(rules.for('a').history).toEqual({ size: 1, ttl: 1, maxAge: 2 });
    });

    it.each([
      [{ history: {} }, 'channels["a"].history.size'],
      [{ history: { size: 0, ttl: '1m' } }, 'channels["a"].history.size'],
      [{ history: { size: Infinity, ttl: '1m' } }, 'channels["a"].history.size'],
      [{ history: { size: '5', ttl: '1m' } }, 'channels["a"].history.size'],
      [{ history: { size: 5 } }, 'channels["a"].history.ttl'],
      [{ history: { size: 5, ttl: 'soon' } }, 'channels["a"].history.ttl'],
      [{ history: { size: 5, ttl: 0 } }, 'channels["a"].history.ttl'],
      [{ history: { size: 5, ttl: '1m', maxAge: 'x' } }, 'channels["a"].history.maxAge'],
      [{ history: { size: 5, ttl: '1m', limit: 1 } }, 'channels["a"].history.limit'],
      [{ history: true }, 'channels["a"].history'],
      [{ presence: 'yes' }, 'channels["a"].presence'],
      [{ presence: { announce: 'yes' } }, 'channels["a"].presence.announce'],
      [{ presence: { announces: true } }, 'channels["a"].presence.announces'],
      [{ presence: { gracePeriod: 'a while' } }, 'channels["a"].presence.gracePeriod'],
      [{ presence: { gracePeriod: '90d' } }, 'channels["a"].presence.gracePeriod'],
      [{ slowConsumer: 'wait' }, 'channels["a"].slowConsumer'],
      [{ histroy: {} }, 'channels["a"].histroy'],
      ['a', 'channels["a"]'],
      [[], 'channels["a"]'],
    ])('%j is refused by the name of %s', (channel, option) => {
      expect(errorOf({ channels: { a: channel } }).option).toBe(option);
    });

    it.each(['room', 5, ['a']])('may not be %j', (channels) => {
      expect(errorOf({ channels })).toMatchObject({ option: 'channels', value: channels });
    });

    it('refuse patterns that are none, and equal ones', () => {
      expect(() => resolve({ channels: { 'room:{': {} } })).toThrow(ChannelPatternError);
      expect(() => resolve({ channels: { 'room:{a}': {}, 'room:{b}': {} } })).toThrow(DuplicatePatternError);
    });
  });

  describe('envelope', () => {
    it.each([
      [undefined, { type: 'type', data: 'data' }],
      [{ type: 'event' }, { type: 'event', data: 'data' }],
      [{ type: 'event', data: 'payload' }, { type: 'event', data: 'payload' }],
      [{ type: 'data', data: 'type' }, { type: 'data', data: 'type' }],
    ])('%j is %j', (envelope, expected) => {
      expect(resolve({ envelope }).hub.envelope).toEqual(expected);
    });

    it.each(FIXED_FIELDS.flatMap((name) => [['type', name], ['data', name]]))('%s may not be called %s', (field, name) => {
      expect(errorOf({ envelope: { [field]: name } })).toMatchObject({ option: `envelope.${field}`, value: name });
    });

    it.each(['', 5, {}, '__proto__', 'constructor', 'toString'])('no field may be called %j', (name) => {
      expect(errorOf({ envelope: { type: name } }).option).toBe('envelope.type');
    });

    it('the two may not have one name', () => {
      expect(errorOf({ envelope: { type: 'data' } }).option).toBe('envelope.data');
      expect(errorOf({ envelope: { type: 'x', data: 'x' } }).option).toBe('envelope.data');
    });
  });

  describe('origins', () => {
    it.each([undefined, '*', () => true])('may be %p', (origins) => {
      expect(resolve({ origins }).gate.origins).toBe(origins);
    });

    it('may be a list', () => {
      expect(resolve({ origins: ['https://app.example.com'] }).gate.origins).toEqual(['https://app.example.com']);
    });

    it.each(['https://app.example.com', [5], ['*'], ['app.example.com'], {}, true])('may not be %j', (origins) => {
      const error = errorOf({ origins });
      expect(error).toMatchObject({ option: 'origins', value: origins });
      expect(error.message).toContain("['https://app.example.com']");
    });
  });

  it('bounds a recovery by default, for 0 and less, and as it is told', () => {
    const usual = { maxPublications: 10_000, maxBytes: 4 * 1024 * 1024 };
    expect(resolve({}).hub.recovery).toEqual(usual);
    expect(resolve({ recovery: { maxPublications: 0, maxBytes: -1 } }).hub.recovery).toEqual(usual);
    expect(resolve({ recovery: { maxPublications: 7, maxBytes: 9 } }).hub.recovery).toEqual({ maxPublications: 7, maxBytes: 9 });
  });

  describe('roomChannel', () => {
    it('makes the channel of a room', () => {
      expect(resolve({}).gate.roomChannel('lobby')).toBe('room:lobby');
      expect(resolve({ roomChannel: 'chat:{room}:live' }).gate.roomChannel('lobby')).toBe('chat:lobby:live');
      expect(resolve({ roomChannel: (room: string) => `r.${room}` }).gate.roomChannel('lobby')).toBe('r.lobby');
    });

    it('takes a room as it is, whatever it looks like to a replacement', () => {
      expect(resolve({}).gate.roomChannel('$&$1')).toBe('room:$&$1');
    });

    it.each(['room', '', 5, {}])('may not be %j', (roomChannel) => {
      expect(errorOf({ roomChannel })).toMatchObject({ option: 'roomChannel', value: roomChannel });
    });
  });

  describe('guards', () => {
    it('may be classes and objects', () => {
      const guards = [AnyGuard, new AnyGuard(), { canActivate: () => true }];
      expect(resolve({ guards }).guards).toEqual(guards);
      expect(resolve({}).guards).toEqual([]);
    });

    it.each([AnyGuard, [() => true], [{}], [null], ['AnyGuard'], 'x'])('may not be %p', (guards) => {
      expect(errorOf({ guards }).option).toBe('guards');
    });
  });

  describe('sse', () => {
    it.each([
      [undefined, 64],
      [true, 64],
      [{}, 64],
      [{ channels: 0 }, 64],
      [{ channels: 128 }, 128],
    ])('%j is on, with so many channels: %j', (sse, maxChannels) => {
      expect(resolve({ sse }).sse).toMatchObject({ path: '/ws/events', maxChannels, welcome: true });
    });

    it('false is off', () => {
      expect(resolve({ sse: false }).sse).toBeUndefined();
    });

    it.each([
      ['/', '/events'],
      ['/a/b/', '/a/b/events'],
    ])('streams of the path %s are at %s', (path, expected) => {
      expect(resolve({ path }).sse?.path).toBe(expected);
    });

    it.each([
      ['on', 'sse'],
      [{ channels: 129 }, 'sse.channels'],
      [{ channels: Infinity }, 'sse.channels'],
      [{ channels: '8' }, 'sse.channels'],
      [{ retry: 1 }, 'sse.retry'],
    ])('%p is refused by the name of %s', (sse, option) => {
      expect(errorOf({ sse }).option).toBe(option);
    });
  });

  describe('compression', () => {
    it.each([
      [undefined, undefined],
      [false, undefined],
      [true, { threshold: 1024 }],
      [{}, { threshold: 1024 }],
      [{ threshold: 0 }, { threshold: 0 }],
      [{ threshold: 100 }, { threshold: 100 }],
    ])('%j is %j', (compression, expected) => {
      expect(resolve({ compression }).gateway.compression).toEqual(expected);
    });

    it.each([
      ['yes', 'compression'],
      [{ threshold: '1k' }, 'compression.threshold'],
      [{ threshold: -1 }, 'compression.threshold'],
      [{ threshold: Number.NaN }, 'compression.threshold'],
      [{ level: 9 }, 'compression.level'],
    ])('%p is refused by the name of %s', (compression, option) => {
      expect(errorOf({ compression }).option).toBe(option);
    });
  });

  it.each([
    [{}, true],
    [{ welcome: false }, false],
  ])('greets with %j: %s', (options, expected) => {
    expect(resolve(options).gateway.welcome).toBe(expected);
  });

  it.each([
    [{ welcome: 'no' }, 'welcome', 'no', 'true or false'],
    [{ adapter: 'redis' }, 'adapter', undefined, 'an adapter factory'],
    [{ adapter: {} }, 'adapter', undefined, 'an adapter factory'],
    [{ validation: true }, 'validation', true, 'false'],
    [{ validation: 'strict' }, 'validation', 'strict', 'false'],
    [{ auth: { onFailure: 'log' } }, 'auth.onFailure', undefined, 'a function'],
    [{ auth: { secret: 'hunter2' } }, 'auth.secret', undefined, 'authenticator, onFailure'],
    [{ auth: 'hunter2' }, 'auth', undefined, 'authenticator, onFailure'],
    [{ limits: 5 }, 'limits', 5, 'maxMessageBytes'],
    [{ limits: [] }, 'limits', [], 'maxMessageBytes'],
    [{ heartbeat: 'fast' }, 'heartbeat', 'fast', 'interval, timeout'],
    [{ limits: { connection: 5 } }, 'limits.connection', undefined, 'connections'],
    [{ shutdown: { grace: 5 } }, 'shutdown.grace', undefined, 'timeout, reconnectSpread'],
    [{ chanels: {} }, 'chanels', undefined, 'channels'],
    [{ recovery: { bytes: 5 } }, 'recovery.bytes', undefined, 'maxPublications, maxBytes'],
    [{ recovery: { maxPublications: Infinity } }, 'recovery.maxPublications', Infinity, 'a whole number'],
    [{ recovery: { maxBytes: '4mb' } }, 'recovery.maxBytes', '4mb', 'a whole number'],
  ])('%j is refused with the option, its value where that is no secret, and what is allowed', (options, option, value, allowed) => {
    const error = errorOf(options);
    expect(error).toMatchObject({ option, value });
    expect(error.message).toContain(`"${option}"`);
    expect(error.allowed).toContain(allowed);
    expect(error.message).toContain(error.allowed);
  });

  it.each([
    { auth: { apiKeys: { 'sk-hunter2': 'alice' } } },
    { auth: 'hunter2' },
    { adapter: 'redis://user:hunter2@host' },
    { adapter: { url: 'redis://user:hunter2@host' } },
    { redis: { password: 'hunter2' } },
    { apiKey: 'hunter2' },
  ])('shows no secret of %j', (options) => {
    const error = errorOf(options);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('hunter2');
  });

  it.each([undefined, null])('refuses %p for all options', (options) => {
    expect(thrownBy(() => resolveSettings(options))).toMatchObject({ name: 'RealtimeOptionsError', option: 'options' });
  });

  it('gives each instance a name of its own', () => {
    const [first, second] = [resolve({}), resolve({})].map(({ hub }) => hub.instanceId);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(first).not.toBe(second);
  });

  it('shares nothing between two that are resolved from the same options', () => {
    const options = { channels: { a: {} } };
    const [first, second] = [resolve(options), resolve(options)];
    first.rules.define('b', first.rules.for('a'));
    expect(second.rules.isDeclared('b')).toBe(false);
  });
});

describe('what an option that is an object or something shorter may be', () => {
  it.each([
    [{ sse: 'yes' }, 'true, false or an object with channels'],
    [{ compression: 1 }, 'true, false or an object with threshold'],
    [{ slowConsumer: 5 }, "'disconnect', 'drop', 'latest' or an object with policy, writeTimeout"],
    [{ channels: { a: { presence: 'yes' } } }, 'true, false or an object with announce, gracePeriod'],
  ])('is said in full: %j', (options, allowed) => {
    expect(thrownBy(() => resolveSettings(options as never))).toMatchObject({ allowed });
  });
});
