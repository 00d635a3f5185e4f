import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveRedisSettings } from '../../../lib/adapter/redis/redis-adapter.settings';
import { resolveSettings } from '../../../lib/realtime.settings';

const README = readFileSync(join(__dirname, '../../../README.md'), 'utf8');

/** The rows of the table below a line of the README: options, as they stand there, and their defaults. */
function tableBelow(line: string): Record<string, unknown> {
  const below = README.slice(README.indexOf(line) + line.length);
  const rows = /\n(\|[^]*?)\n\n/.exec(below)![1]!.split('\n').slice(2);
  return Object.fromEntries(
    rows.flatMap((row) => {
      const [names, defaults] = row.split('|').slice(1, 3).map((cell) => cell.trim());
      const options = names!.replaceAll('`', '').split(', ');
      const values = defaults!.split(' and ').map(valueOf);
      return options.map((name, i) => [name, options.length === values.length ? values[i] : values]);
    }),
  );
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, days: 24 * 60 * 60 * 1000, MiB: 1024 * 1024 };

/** `65,536`, `30 s`, `unlimited` and `'/ws'` as the values that they stand for; anything else as the text it is. */
function valueOf(text: string): unknown {
  if (text === 'unlimited') return Infinity;
  const [, number, unit] = /^([\d,]+)(?: (\w+))?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number.replaceAll(',', '')) * UNITS[unit ?? 'ms']!;
  const code = /^`(.*)`$/.exec(text)?.[1];
  if (code === 'true' || code === 'false') return code === 'true';
  return code === undefined ? text : (/^'(.*)'$/.exec(code)?.[1] ?? code);
}

describe('the options in the README', () => {
  it('CHECKLIST 2: have the defaults that it says', () => {
    const { gateway, hub, sse, gate, rules, dispatch, options } = resolveSettings({ channels: { a: { presence: true } } });
    const { limits, shutdown, recovery } = hub;
    const { history, presence, policy } = rules.for('a');
    expect(options.adapter ?? history ?? gateway.compression ?? gate.origins ?? gate.onFailure).toBeUndefined();
    expect(tableBelow('\n## Options\n')).toMatchObject({
      path: gateway.path,
      guards: '[]',
      'auth.authenticator': 'none',
      'auth.onFailure': 'none',
      origins: 'same origin',
      'heartbeat.interval': gateway.heartbeat.interval,
      'heartbeat.timeout': gateway.heartbeat.timeout,
      'limits.maxMessageBytes': gateway.maxMessageBytes,
      'limits.sendQueueBytes': limits.sendQueueBytes,
      'limits.sendQueueFrames': limits.sendQueueFrames,
      'limits.subscriptionsPerConnection': limits.subscriptionsPerConnection,
      'limits.connections': limits.connections,
      'limits.connectionsPerUser': limits.connectionsPerUser,
      'limits.channelNameLength': limits.channelNameLength,
      'limits.messagesPerSecond': dispatch.messagesPerSecond,
      'limits.pendingCommands': dispatch.pendingCommands,
      'limits.handshakeTimeout': gate.handshakeTimeout,
      slowConsumer: policy,
      'slowConsumer.writeTimeout': gateway.heartbeat.writeTimeout,
      channels: '{}',
      'channels[…].history': 'none',
      'channels[…].presence': 'off',
      'channels[…].presence.announce': presence!.announce,
      'channels[…].presence.gracePeriod': presence!.gracePeriod,
      adapter: 'memoryAdapter()',
      envelope: "{ type: 'type', data: 'data' }",
      welcome: gateway.welcome,
      sse: true,
      'sse.channels': sse!.maxChannels,
      compression: false,
      roomChannel: gate.roomChannel('{room}'),
      'recovery.maxPublications': recovery.maxPublications,
      'recovery.maxBytes': recovery.maxBytes,
      'shutdown.timeout': shutdown.timeout,
      'shutdown.reconnectSpread': shutdown.reconnectSpread,
      validation: '{ transform: true }',
    });
  });

  it('of the Redis adapter have the defaults that it says', () => {
    const { reconnect, probe, instances, onBusy, ...settings } = resolveRedisSettings({});
    expect(onBusy).toBeUndefined();
    expect(tableBelow('\nOptions of `redisAdapter`')).toMatchObject({
      ...settings,
      onBusy: 'none',
      reconnect: [reconnect.initialDelay, reconnect.maxDelay],
      probe: [probe.interval, probe.timeout],
      instances: [instances.heartbeat, instances.deadAfter],
    });
  });
});
