import { Injectable } from '@nestjs/common';
import {
  DuplicatePatternError,
  RealtimeModule,
  type RealtimeModuleOptions,
  RealtimeOptionsError,
  SubscribeChannel,
} from 'nestjs-realtime';
import { REALTIME_SETTINGS, type RealtimeSettings } from '../../../lib/realtime.settings';
import { createApp, createUnstartedApp, PLATFORMS } from '../../support/create-app';
import { TestClient } from '../../support/test-client';

describe.each(PLATFORMS)('the module without any options, over %s', (platform) => {
  it('CHECKLIST 1: starts and serves without Redis and without authentication', async () => {
    const app = await createApp({ platform });
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    const greeting = await client.next('connected');
    expect(greeting.data).toEqual({
      connectionId: expect.any(String),
      user: null,
      heartbeat: { interval: 30_000, timeout: 60_000 },
      channels: [],
    });
    await app.close();
  });

  it('CHECKLIST 3: is one process without an adapter, and connects to nothing', async () => {
    // Another test's may still be on their way out.
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = sockets();
    const app = await createApp({ platform });
    await expect(app.hub.broadcast('hello')).resolves.toEqual({ delivered: 'cluster' });
    expect(sockets()).toBeLessThanOrEqual(before);
    await app.close();
  });

  it('CHECKLIST 2: takes a message of 65,536 bytes and closes with 1009 at one byte more', async () => {
    const app = await createApp({ platform });
    const client = await TestClient.connect(`${app.url}/ws`);
    const empty = JSON.stringify({ type: 'ping', id: 1, data: '' });
    const message = (bytes: number): string =>
      JSON.stringify({ type: 'ping', id: 1, data: 'x'.repeat(bytes - empty.length) });
    client.send(message(65_536));
    expect(await client.next('pong')).toMatchObject({ id: 1 });
    client.send(message(65_537));
    expect(await client.closed).toMatchObject({ code: 1009 });
    await app.close();
  });
});

describe('the options of the module', () => {
  const settingsOf = async (realtime?: RealtimeModuleOptions): Promise<RealtimeSettings> => {
    const app = await createUnstartedApp({ realtime });
    return app.get<RealtimeSettings>(REALTIME_SETTINGS);
  };

  it('CHECKLIST 2: have the defaults of the protocol', async () => {
    const { gateway, hub } = await settingsOf();
    expect(gateway).toMatchObject({
      path: '/ws',
      welcome: true,
      maxMessageBytes: 65_536,
      heartbeat: { interval: 30_000, timeout: 60_000, writeTimeout: 10_000 },
    });
    expect(hub.limits).toMatchObject({
      sendQueueBytes: 1_048_576,
      sendQueueFrames: 256,
      subscriptionsPerConnection: 1024,
      channelNameLength: 256,
      messagesPerSecond: Infinity,
      connections: 100_000,
      connectionsPerUser: Infinity,
      pendingCommands: 64,
      handshakeTimeout: 10_000,
    });
  });

  it('CHECKLIST 2: a value of 0 or less falls back to the default', async () => {
    const defaults = await settingsOf();
    for (const nothing of [0, -1]) {
      const { gateway, hub, gate, dispatch, sse } = await settingsOf({
        heartbeat: { interval: nothing, timeout: nothing },
        slowConsumer: { writeTimeout: nothing },
        limits: {
          maxMessageBytes: nothing,
          sendQueueFrames: nothing,
          sendQueueBytes: nothing,
          subscriptionsPerConnection: nothing,
          connections: nothing,
          connectionsPerUser: nothing,
          channelNameLength: nothing,
          messagesPerSecond: nothing,
          pendingCommands: nothing,
          handshakeTimeout: nothing,
        },
        sse: { channels: nothing },
        shutdown: { timeout: nothing, reconnectSpread: nothing },
      });
      expect(gateway).toEqual(defaults.gateway);
      expect(hub.limits).toEqual(defaults.hub.limits);
      expect(hub.shutdown).toEqual(defaults.hub.shutdown);
      expect([gate.handshakeTimeout, dispatch, sse]).toEqual([defaults.gate.handshakeTimeout, defaults.dispatch, defaults.sse]);
    }
  });

  it.each([
    [{ interval: 90_000 }, { interval: 90_000, timeout: 180_000 }],
    [{ interval: '1m' }, { interval: 60_000, timeout: 120_000 }],
    [{ interval: 1000, timeout: 1000 }, { interval: 1000, timeout: 2000 }],
    [{ interval: 1000, timeout: 10 }, { interval: 1000, timeout: 2000 }],
    [{ interval: 1000, timeout: 1001 }, { interval: 1000, timeout: 1001 }],
    [{ timeout: '10s' }, { interval: 30_000, timeout: 60_000 }],
  ])('CHECKLIST 2: a timeout at or under the interval becomes twice the interval: %j', async (heartbeat, expected) => {
    expect((await settingsOf({ heartbeat })).gateway.heartbeat).toMatchObject(expected);
  });

  const wrong: [option: string, options: unknown, shown: string][] = [
    ['path', { path: 'ws' }, '"ws"'],
    ['path', { path: '' }, '""'],
    ['path', { path: '/ws/:room' }, '"/ws/:room"'],
    ['path', { path: ['/ws'] }, '["/ws"]'],
    ['guards', { guards: 'BearerTokenGuard' }, '"BearerTokenGuard"'],
    ['guards', { guards: [undefined] }, '[undefined]'],
    ['guards', { guards: [class Unguarded {}] }, '[the function Unguarded]'],
    ['auth', { auth: 'secret' }, 'a string'],
    ['auth.onFailure', { auth: { onFailure: 'log' } }, 'a string'],
    ['auth.onFailed', { auth: { onFailed: () => undefined } }, 'a function'],
    ['origins', { origins: 'https://app.example.com' }, '"https://app.example.com"'],
    ['origins', { origins: ['app.example.com'] }, '["app.example.com"]'],
    ['origins', { origins: ['*'] }, '["*"]'],
    ['origins', { origins: ['https://app.example.com/chat'] }, '["https://app.example.com/chat"]'],
    ['origins', { origins: true }, 'true'],
    ['heartbeat', { heartbeat: 30_000 }, '30000'],
    ['heartbeat.interval', { heartbeat: { interval: 'soon' } }, '"soon"'],
    ['heartbeat.interval', { heartbeat: { interval: NaN } }, 'NaN'],
    ['heartbeat.timeout', { heartbeat: { timeout: Infinity } }, 'Infinity'],
    ['heartbeat.pong', { heartbeat: { pong: 1 } }, 'a number'],
    ['limits.maxMessageBytes', { limits: { maxMessageBytes: '64k' } }, '"64k"'],
    ['limits.sendQueueFrames', { limits: { sendQueueFrames: 1.5 } }, '1.5'],
    ['limits.sendQueue', { limits: { sendQueue: 1 } }, 'a number'],
    ['limits.connections', { limits: { connections: NaN } }, 'NaN'],
    ['limits.handshakeTimeout', { limits: { handshakeTimeout: true } }, 'true'],
    ['slowConsumer.policy', { slowConsumer: 'kick' }, '"kick"'],
    ['slowConsumer.writeTimeout', { slowConsumer: { writeTimeout: {} } }, '{}'],
    ['channels', { channels: ['room:{name}'] }, '["room:{name}"]'],
    ['channels["a"].history.size', { channels: { a: { history: { ttl: '1m' } } } }, 'undefined'],
    ['channels["a"].history.ttl', { channels: { a: { history: { size: 1 } } } }, 'undefined'],
    ['channels["a"].presence', { channels: { a: { presence: 'yes' } } }, '"yes"'],
    ['channels["a"].slowConsumer', { channels: { a: { slowConsumer: 'kick' } } }, '"kick"'],
    ['channels["a"].persist', { channels: { a: { persist: true } } }, 'true'],
    ['adapter', { adapter: 'redis' }, 'a string'],
    ['envelope.type', { envelope: { type: 'channel' } }, '"channel"'],
    ['envelope.data', { envelope: { type: 'x', data: 'x' } }, '"x"'],
    ['welcome', { welcome: 'yes' }, '"yes"'],
    ['compression', { compression: 'gzip' }, '"gzip"'],
    ['roomChannel', { roomChannel: 'room' }, '"room"'],
    ['shutdown.timeout', { shutdown: { timeout: 'never' } }, '"never"'],
    ['validation', { validation: 'strict' }, '"strict"'],
    ['redis', { redis: {} }, 'an object'],
  ];

  it.each(wrong)('stops the start with an error that names %s: %j', async (option, options, shown) => {
    const starting = createUnstartedApp({ realtime: options as RealtimeModuleOptions });
    const error = await starting.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RealtimeOptionsError);
    expect((error as RealtimeOptionsError).option).toBe(option);
    expect((error as Error).message).toContain(`"${option}" is ${shown}; allowed: `);
  });

  it.each([
    ['an option that does not exist', { redis: { url: 'redis://:pa55word@db' } }],
    ['an adapter that is none', { adapter: { url: 'redis://:pa55word@db' } }],
    ['an adapter by its URL', { adapter: 'redis://:pa55word@db' }],
    ['what belongs into an authenticator', { auth: { secret: 'pa55word' } }],
    ['a key in the place of options', { auth: 'pa55word' }],
    ['a key in the place of a hook', { auth: { onFailure: 'pa55word' } }],
  ])('does not repeat a secret in the error about %s', async (_what, options) => {
    const error: unknown = await createUnstartedApp({ realtime: options as RealtimeModuleOptions }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RealtimeOptionsError);
    expect(JSON.stringify({ ...(error as object), message: (error as Error).message })).not.toContain('pa55word');
  });

  it('stops the start for patterns that cannot stand together', async () => {
    const realtime = { channels: { 'room:{name}': {}, 'room:{id}': {} } };
    await expect(createUnstartedApp({ realtime })).rejects.toBeInstanceOf(DuplicatePatternError);
  });

  it('stops the start for two handlers of equal patterns', async () => {
    @Injectable()
    class Twice {
      @SubscribeChannel('room:{name}') first(): void {}
      @SubscribeChannel('room:{id}') second(): void {}
    }
    const app = await createUnstartedApp({ providers: [Twice] });
    await expect(app.init()).rejects.toBeInstanceOf(DuplicatePatternError);
  });

  it('takes null for absent, as JSON has it', async () => {
    const nothing = { limits: null, heartbeat: null, auth: null, channels: null } as unknown as RealtimeModuleOptions;
    expect((await settingsOf(nothing)).gateway).toEqual((await settingsOf()).gateway);
  });

  it('lets forRoot be called without options', () => {
    expect(RealtimeModule.forRoot()).toMatchObject({ module: RealtimeModule, global: false });
  });
});
