import { Logger } from '@nestjs/common';
import { NO_HOOKS } from '../../../lib/hub/hub-hooks';
import { ConnectionIdTakenError, HubClosedError, InvalidChannelError, SerializationError, SubscriptionLimitError } from '../../../lib/hub/hub.errors';
import { thrownBy } from '../../support/thrown-by';
import { deferred } from '../../support/wait-for';
import { GatedAdapter } from './gated-adapter';
import { connect, createHub, createMemoryAdapter, RecordingConnection, settle, startHub } from './hub-kit';

describe('HubCore', () => {
  beforeEach(() => Logger.overrideLogger(false));
  afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

  it('stays closed when it was shut down while it started', async () => {
    const adapter = createMemoryAdapter();
    const connected = deferred();
    adapter.start = () => connected.promise;
    const hub = createHub({}, adapter);
    const started = hub.start();
    await hub.shutdown();
    connected.resolve();
    await started;
    expect(hub.state).toBe('closed');
  });

  it('says so of a second subscribe whose subscription was ended meanwhile', async () => {
    const gate = new GatedAdapter();
    const hub = createHub({ channels: { 'room:a': {} } }, gate.adapter);
    await hub.start();
    const connection = connect(hub);
    gate.closed = true;
    const first = hub.subscribe(connection, 'room:a', { id: 1 });
    const second = hub.subscribe(connection, 'room:a', { id: 2 });
    hub.unsubscribe(connection, 'room:a');
    while (gate.letAllThrough()) await settle();
    expect([await first, await second]).toEqual([true, false]);
    expect(connection.channels).toEqual([]);
  });

  describe('encode', () => {
    it('uses the names of the envelope', async () => {
      const hub = await startHub({ envelope: { type: 'event', data: 'payload' } });
      expect(JSON.parse(hub.encode({ type: 'a', data: 1 }).text)).toMatchObject({ event: 'a', payload: 1 });
    });

    it('says what cannot be serialised, and where', async () => {
      const hub = await startHub();
      const error = thrownBy(() => hub.encode({ type: 'price', channel: 'ticker', data: 1n })) as SerializationError;
      expect(error).toBeInstanceOf(SerializationError);
      expect(error).toMatchObject({ type: 'price', channel: 'ticker', code: 'internal' });
      expect(error.message).toContain('"price"');
      expect(error.message).toContain('"ticker"');
      expect(error.cause).toBeInstanceOf(TypeError);
    });
  });

  describe('subscribe', () => {
    it.each(['', 'a b', 'a/b', 'x'.repeat(257), undefined, 5])('refuses the channel name %j', async (channel) => {
      const hub = await startHub();
      await expect(hub.subscribe(connect(hub), channel as string, {})).rejects.toThrow(InvalidChannelError);
    });

    it('keeps to the configured length of names', async () => {
      const hub = await startHub({ limits: { channelNameLength: 5 } });
      const connection = connect(hub);
      await hub.subscribe(connection, '12345', {});
      await expect(hub.subscribe(connection, '123456', {})).rejects.toThrow('1 to 5 characters');
    });

    it('keeps to the limit of subscriptions, and not for those that are held', async () => {
      const hub = await startHub({ limits: { subscriptionsPerConnection: 2 } });
      const connection = connect(hub);
      await hub.subscribe(connection, 'a', {});
      await hub.subscribe(connection, 'b', {});
      await hub.subscribe(connection, 'a', {});
      await expect(hub.subscribe(connection, 'c', {})).rejects.toThrow(SubscriptionLimitError);
      hub.unsubscribe(connection, 'a');
      await hub.subscribe(connection, 'c', {});
      expect(connection.channels).toEqual(['b', 'c']);
    });

    it('keeps to the limit when many subscriptions are asked for at once', async () => {
      const hub = await startHub({ limits: { subscriptionsPerConnection: 3 } });
      const connection = connect(hub);
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => hub.subscribe(connection, `c${index}`, {})));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(connection.channels).toHaveLength(3);
    });

    it('does nothing for a connection that is not registered', async () => {
      const hub = await startHub();
      const connection = new RecordingConnection(hub);
      await hub.subscribe(connection, 'a', {});
      expect([connection.frames.length, hub.channels.size]).toEqual([0, 0]);
    });
  });

  describe('register', () => {
    it('refuses an id that another connection has', async () => {
      const hub = await startHub();
      const first = connect(hub, { id: 'a' });
      expect(() => connect(hub, { id: 'a' })).toThrow(ConnectionIdTakenError);
      expect(hub.connections.get('a')).toBe(first);
      first.close();
      expect(() => connect(hub, { id: 'a' })).not.toThrow();
    });
  });

  describe('stats', () => {
    it('go up and down with connections, channels and subscriptions', async () => {
      const hub = await startHub();
      const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
      await hub.subscribe(a!, 'x', {});
      await hub.subscribe(b!, 'x', {});
      await hub.subscribe(b!, 'y', {});
      expect(hub.snapshotStats()).toMatchObject({ clients: 2, channels: 2, subscribers: 3 });
      b!.close();
      expect(hub.snapshotStats()).toMatchObject({ clients: 1, channels: 1, subscribers: 1 });
      a!.close();
      expect(hub.snapshotStats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    });

    it('are a copy', async () => {
      const hub = await startHub();
      hub.snapshotStats().published = 99;
      expect(hub.snapshotStats().published).toBe(0);
    });
  });

  describe('shutdown', () => {
    it('advises each client when to come back, then closes it with 1001', async () => {
      const hub = await startHub({ shutdown: { reconnectSpread: 1000 } });
      const connections = Array.from({ length: 20 }, (_, index) => connect(hub, { id: String(index) }));
      await hub.shutdown();
      const delays = connections.map(({ messages }) => (messages[0]!.data as { reconnectAfter: number }).reconnectAfter);
      for (const { types, closedWith } of connections) {
        expect(types).toEqual(['draining']);
        expect(closedWith).toMatchObject({ code: 1001 });
      }
      expect(delays.every((delay) => delay >= 0 && delay <= 1000)).toBe(true);
      expect(new Set(delays).size).toBeGreaterThan(1);
    });

    it('closes every connection, also when there are many', async () => {
      const hub = await startHub();
      const connections = Array.from({ length: 1201 }, (_, index) => connect(hub, { id: String(index) }));
      await hub.shutdown();
      expect(connections.filter(({ open }) => open)).toEqual([]);
      expect(hub.snapshotStats().clients).toBe(0);
    });

    it('is one, however often and however concurrently it is asked for', async () => {
      const hub = await startHub();
      const connection = connect(hub);
      let ends = 0;
      hub.lifecycle.hooks = { ...NO_HOOKS, disconnected: async () => void ends++ };
      const [first, second] = [hub.shutdown(), hub.shutdown()];
      expect(first).toBe(second);
      await Promise.all([first, second]);
      await hub.shutdown();
      expect([ends, connection.types]).toEqual([1, ['draining']]);
    });

    it('waits for the hooks', async () => {
      const hub = await startHub();
      connect(hub);
      const gate = deferred();
      hub.lifecycle.hooks = { ...NO_HOOKS, disconnected: () => gate.promise };
      let isDown = false;
      const down = hub.shutdown().then(() => (isDown = true));
      await settle();
      expect([isDown, hub.state]).toEqual([false, 'draining']);
      gate.resolve();
      await down;
      expect(hub.state).toBe('closed');
    });

    it('does not wait longer than its timeout', async () => {
      const hub = await startHub({ shutdown: { timeout: 20 } });
      connect(hub);
      hub.lifecycle.hooks = { ...NO_HOOKS, idle: () => new Promise(() => undefined) };
      await hub.shutdown();
      expect(hub.state).toBe('closed');
    });

    it('runs the end of a connection once that never answered the close', async () => {
      const hub = await startHub();
      const connection = connect(hub);
      connection.close = () => undefined;
      const ends: string[] = [];
      hub.lifecycle.hooks = { ...NO_HOOKS, disconnected: async ({ id }, { code }) => void ends.push(`${id} ${code}`) };
      await hub.shutdown();
      expect(ends).toEqual(['c1 1001']);
    });

    it('refuses newcomers from its beginning on, and everything once it is through', async () => {
      const hub = await startHub();
      const down = hub.shutdown();
      expect(() => connect(hub)).toThrow(HubClosedError);
      expect(() => hub.assertOpen('publish')).not.toThrow();
      await down;
      expect(() => connect(hub)).toThrow(HubClosedError);
      expect(() => hub.assertOpen('publish')).toThrow('hub.publish() was called after the hub was shut down');
    });

    it('advises and closes many clients in slices, and all before it is through', async () => {
      const hub = await startHub();
      const all = Array.from({ length: 1_200 }, (_, n) => connect(hub, { id: `c${n}` }));
      const advised = (): number => all.filter(({ frames }) => frames.length > 0).length;
      const down = hub.shutdown();
      expect(advised()).toBe(500);
      await down;
      expect(advised()).toBe(1_200);
      expect(all.every(({ closedWith }) => closedWith?.code === 1001)).toBe(true);
    });

    it('leaves no timer behind', async () => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
      try {
        const hub = await startHub();
        connect(hub, { id: 'a', user: { id: 'alice', claims: {}, expiresAt: Date.now() + 60_000 } });
        expect(jest.getTimerCount()).toBeGreaterThan(0);
        await hub.shutdown();
        await hub.adapter.stop();
        expect(jest.getTimerCount()).toBe(0);
      } finally {
        jest.useRealTimers();
      }
    });
  });
});
