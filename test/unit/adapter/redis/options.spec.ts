import type { AdapterContext } from '../../../../lib/adapter/adapter-factory';
import { connectionSource } from '../../../../lib/adapter/redis/connection/connection-sources';
import { loadIoredis } from '../../../../lib/adapter/redis/connection/redis-client';
import { decodeControlCommand } from '../../../../lib/adapter/redis/control-command';
import { redisAdapter } from '../../../../lib/adapter/redis/redis-adapter.factory';
import type { RedisAdapterOptions } from '../../../../lib/adapter/redis/redis-adapter.options';
import { resolveRedisSettings } from '../../../../lib/adapter/redis/redis-adapter.settings';

const context: AdapterContext = { instanceId: '0'.repeat(32), resolve: () => ({}) as never };
const sourceOf = (options: RedisAdapterOptions) => connectionSource(options, resolveRedisSettings(options), context);

describe('options of the Redis adapter', () => {
  it.each<[string, RedisAdapterOptions]>([
    ['prefix', { prefix: 'a{b}' }],
    ['prefix', { prefix: '' }],
    ['naming', { naming: 'other' as never }],
    ['lazy', { lazy: 'yes' as never }],
    ['publishTimeout', { publishTimeout: NaN }],
    ['publishTimeout', { publishTimeout: 'soon' }],
    ['commandTimeout', { commandTimeout: '' }],
    ['connectTimeout', { connectTimeout: '30 days' }],
    ['queueSize', { queueSize: 1.5 }],
    ['queueSize', { queueSize: '10' as never }],
    ['probe.interval', { probe: { interval: 2 ** 31 } }],
    ['instances.deadAfter', { instances: { heartbeat: 1000, deadAfter: 1500 } }],
    ['onBusy', { onBusy: 1 as never }],
  ])('refuse a wrong %s', (option, options) => {
    expect(() => redisAdapter(options)).toThrow(expect.objectContaining({ name: 'RedisAdapterOptionsError', option }));
  });

  it.each([0, -1, -0.5])('CHECKLIST 2: fall back to the default for a figure of %p', (figure) => {
    const figures: RedisAdapterOptions = {
      publishTimeout: figure,
      commandTimeout: figure,
      connectTimeout: figure,
      queueSize: figure,
      queueBytes: figure,
      maxMessageBytes: figure,
      reconnect: { initialDelay: figure, maxDelay: figure },
      probe: { interval: figure, timeout: figure },
      positionCheckInterval: figure,
      positionTtl: figure,
      instances: { heartbeat: figure, deadAfter: figure },
    };
    expect(resolveRedisSettings(figures)).toEqual(resolveRedisSettings({}));
    expect(resolveRedisSettings({ linger: figure }).linger).toBe(figure === 0 ? 0 : 1_000);
  });

  it('take times as text', () => {
    const { publishTimeout, linger, positionTtl, probe } = resolveRedisSettings({
      publishTimeout: '1.5s',
      linger: '0',
      positionTtl: '60d',
      probe: { interval: '10s' },
    });
    expect([publishTimeout, linger, positionTtl, probe.interval]).toEqual([1_500, 0, 60 * 86_400_000, 10_000]);
  });

  it('refuse two places at once', () => {
    expect(() => redisAdapter({ url: 'redis://a', cluster: { nodes: [7000] as never } })).toThrow('each says where Redis is');
  });

  it('refuse a URL of something else without showing its password, and a client that is none', () => {
    expect(() => sourceOf({ url: 'https://user:secret@host' })).toThrow('redisAdapter({ url })');
    expect(() => sourceOf({ url: 'https://user:secret@host' })).not.toThrow('secret');
    expect(() => sourceOf({ client: {} })).toThrow('ioredis 5 or 6');
    expect(() => sourceOf({ cluster: { nodes: [] } })).toThrow('cluster.nodes');
    expect(() => sourceOf({ sentinels: { nodes: [], name: 'm' } })).toThrow('sentinels.nodes');
  });

  it('name the place without credentials', () => {
    expect(sourceOf({ url: 'rediss://user:secret@host:7000/2' }).endpoint).toBe('rediss://host:7000/2');
    expect(sourceOf({ options: { host: 'h', password: 'secret' } }).endpoint).toBe('h:6379');
    const cluster = sourceOf({ cluster: { nodes: ['redis://a:1', { host: 'b', port: 2 }, 'c'], natMap: { 'x:1': { host: 'y', port: 9 } } } });
    expect(cluster.endpoint).toBe('the cluster a:1, b:2, c:6379');
    expect(cluster.cluster!.translate({ host: 'x', port: 1 })).toEqual({ host: 'y', port: 9 });
  });

  it('say what to install when ioredis is missing', () => {
    const load = () => {
      throw new Error('Cannot find module');
    };
    expect(() => loadIoredis(load)).toThrow('npm install ioredis');
  });
});

describe('commands from other instances', () => {
  const decode = (command: unknown) => decodeControlCommand(Buffer.from(JSON.stringify(command)));
  const target = { userId: 'u' };

  it.each([
    { kind: 'send', target: { connectionId: 'c' }, payload: '{}' },
    { kind: 'disconnect', target, code: 4503, reason: '' },
    { kind: 'subscribe', target, channel: 'a' },
    { kind: 'unsubscribe', target, channel: 'a', reason: 'r' },
  ])('are taken: %j', (command) => {
    expect(decode(command)).toEqual(command);
    expect(decode({ ...command, more: 1, target: { ...command.target, more: 1 } })).toEqual(command);
  });

  it.each([
    {},
    { kind: 'send', target, payload: {} },
    { kind: 'send', payload: '' },
    { kind: 'disconnect', target, code: 1006, reason: '' },
    { kind: 'disconnect', target, code: '4503', reason: '' },
    { kind: 'disconnect', target, code: 4503, reason: 'x'.repeat(124) },
    { kind: 'subscribe', target, channel: 1 },
    { kind: 'unsubscribe', target, channel: 'a' },
    { kind: 'explode', target },
  ])('are refused: %j', (command) => {
    expect(decode(command)).toBeUndefined();
  });
});
