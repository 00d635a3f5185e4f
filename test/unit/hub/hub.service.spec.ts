import { Logger } from '@nestjs/common';
import type { ControlCommand, HubAdapter } from '../../../lib/adapter/hub-adapter';
import type { Frame } from '../../../lib/hub/frame';
import type { HubCore } from '../../../lib/hub/hub-core';
import { HubClosedError, InvalidChannelError, InvalidTypeError, ReservedTypeError, SerializationError, SubscriptionLimitError } from '../../../lib/hub/hub.errors';
import { NO_HOOKS } from '../../../lib/hub/hub-hooks';
import { HubService } from '../../../lib/hub/hub.service';
import { ProcessOutputService } from '../../../lib/hub/process-output.service';
import type { Subscriber } from '../../../lib/hub/subscriber';
import { RecordingLogger } from '../../support/recording-logger';
import { connect, createMemoryAdapter, type SentMessage, settle, startHub } from './hub-kit';

const user = (id: string): { id: string; claims: Record<string, unknown> } => ({ id, claims: {} });

/** A subscriber as an application might write one. */
class Recorder implements Subscriber {
  readonly messages: SentMessage[] = [];
  readonly closes: unknown[] = [];

  send(frame: Frame): boolean {
    this.messages.push(JSON.parse(frame.text) as SentMessage);
    return true;
  }

  close(code?: number, reason?: string): void {
    this.closes.push([code, reason]);
  }
}

describe('HubService', () => {
  let core: HubCore;
  let hub: HubService;
  let commands: ControlCommand[];

  beforeEach(async () => {
    Logger.overrideLogger(new RecordingLogger());
    commands = [];
    const adapter: HubAdapter = createMemoryAdapter();
    adapter.control = async (command) => {
      commands.push(command);
      return 'cluster';
    };
    const channels = { 'kept:*': { history: { size: 5, ttl: '1h' } }, 'here:*': { presence: true } };
    core = await startHub({ channels }, adapter);
    hub = new HubService(core);
  });
  afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

  describe('publish', () => {
    it('sends what it was told, as type message by default', async () => {
      const connection = connect(core);
      await hub.subscribe({ connectionId: 'c1' }, 'room');
      await hub.publish('room', { text: 'hi' });
      await hub.publish('room', 1, { type: 'chat', from: 'alice' });
      expect(connection.messages.slice(1)).toMatchObject([
        { type: 'message', channel: 'room', data: { text: 'hi' } },
        { type: 'chat', channel: 'room', data: 1, from: 'alice' },
      ]);
      expect(connection.messages[1]).not.toHaveProperty('from');
    });

    it('leaves out one connection, or several', async () => {
      const connections = ['a', 'b', 'c'].map((id) => connect(core, { id }));
      for (const { id } of connections) await hub.subscribe({ connectionId: id }, 'room');
      await hub.publish('room', 1, { exclude: 'a' });
      await hub.publish('room', 2, { exclude: ['a', 'b'] });
      expect(connections.map(({ messages }) => messages.slice(1).map(({ data }) => data))).toEqual([[], [1], [1, 2]]);
    });

    it.each(['', 'a b', 'x'.repeat(257), 5, undefined])('rejects for the channel %j', async (channel) => {
      await expect(hub.publish(channel as string, 1)).rejects.toThrow(InvalidChannelError);
    });

    it('rejects the words of the protocol, but for an error to one client or user, and sends nothing else', async () => {
      const connection = connect(core);
      await hub.subscribe({ connectionId: 'c1' }, 'room');
      for (const type of ['error', 'leave', 'subscribed', 'reset', 'draining', 'disconnected']) {
        await expect(hub.publish('room', {}, { type })).rejects.toThrow(ReservedTypeError);
        await expect(hub.broadcast(type)).rejects.toThrow(ReservedTypeError);
        if (type === 'error') continue;
        await expect(hub.sendToUser('alice', type)).rejects.toThrow(ReservedTypeError);
        await expect(hub.sendToConnection('c1', type)).rejects.toThrow('is a word of the protocol');
        expect(() => connection.emit(type)).toThrow(ReservedTypeError);
      }
      await hub.sendToConnection('c1', 'error', { code: 'conflict', message: 'taken' });
      connection.emit('error', { code: 'conflict', message: 'taken' });
      expect(connection.types).toEqual(['subscribed', 'error', 'error']);
    });

    it.each(['', 5, null, {}] as string[])('refuses the type %j, and sends nothing', async (type) => {
      const connection = connect(core);
      await hub.subscribe({ connectionId: 'c1' }, 'room');
      await expect(hub.publish('room', 1, { type })).rejects.toThrow(InvalidTypeError);
      await expect(hub.broadcast(type)).rejects.toThrow('must be a non-empty string');
      await expect(hub.sendToUser('alice', type)).rejects.toThrow(InvalidTypeError);
      await expect(hub.sendToConnection('c1', type)).rejects.toThrow(InvalidTypeError);
      expect(() => connection.emit(type)).toThrow(InvalidTypeError);
      expect([connection.types, hub.stats().published]).toEqual([['subscribed'], 0]);
    });

    it('rejects what has no JSON form, and sends nothing', async () => {
      const connection = connect(core);
      await hub.subscribe({ connectionId: 'c1' }, 'room');
      await expect(hub.publish('room', { big: 1n })).rejects.toThrow(SerializationError);
      await expect(hub.broadcast('x', () => 1)).rejects.toThrow(SerializationError);
      await expect(hub.sendToConnection('c1', 'x', Symbol('x'))).rejects.toThrow(SerializationError);
      expect([connection.types, hub.stats().published]).toEqual([['subscribed'], 0]);
    });
  });

  describe('sends directly', () => {
    it('to all connections of a user, to one connection, and to everybody', async () => {
      const [a, b, c] = [connect(core, { id: 'a', user: user('alice') }), connect(core, { id: 'b', user: user('alice') }), connect(core, { id: 'c' })];
      await hub.sendToUser('alice', 'notice', { unread: 3 });
      await hub.sendToConnection('c', 'hello');
      await hub.broadcast('news', 1);
      expect([a, b, c].map(({ types }) => types)).toEqual([['notice', 'news'], ['notice', 'news'], ['hello', 'news']]);
      expect(a.messages[0]).toMatchObject({ data: { unread: 3 } });
      expect(a.messages[0]).not.toHaveProperty('channel');
    });

    it('and hands the same to the other instances', async () => {
      await hub.sendToUser('alice', 'notice', 1);
      expect(commands).toEqual([{ kind: 'send', target: { userId: 'alice' }, payload: expect.stringContaining('"notice"') }]);
    });
  });

  describe('subscribes and unsubscribes from the side of the server', () => {
    it('and tells the clients', async () => {
      const connection = connect(core, { user: user('alice') });
      await hub.subscribe({ userId: 'alice' }, 'room');
      await hub.unsubscribe({ userId: 'alice' }, 'room', { reason: 'closed' });
      await hub.unsubscribe({ userId: 'alice' }, 'room');
      expect(connection.messages).toMatchObject([
        { type: 'subscribed', channel: 'room' },
        { type: 'unsubscribed', channel: 'room', data: { code: 4503, reason: 'closed' } },
      ]);
      expect(commands.map(({ kind }) => kind)).toEqual(['subscribe', 'unsubscribe', 'unsubscribe']);
    });

    it('rejects a name that is none', async () => {
      await expect(hub.subscribe({ userId: 'alice' }, 'a b')).rejects.toThrow(InvalidChannelError);
      expect(commands).toEqual([]);
    });
  });

  describe('disconnect', () => {
    it('closes all connections of a user with 4503, or as it was told', async () => {
      const [a, b] = [connect(core, { id: 'a', user: user('alice') }), connect(core, { id: 'b', user: user('alice') })];
      const c = connect(core, { id: 'c' });
      await hub.disconnect({ userId: 'alice' }, { reason: 'account closed' });
      await hub.disconnect({ connectionId: 'c' }, { code: 4001 });
      expect([a.closedWith, b.closedWith, c.closedWith]).toEqual([
        { code: 4503, reason: 'account closed' },
        { code: 4503, reason: 'account closed' },
        { code: 4001, reason: '' },
      ]);
      expect(hub.stats().clients).toBe(0);
    });

    it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN])('rejects the code %d, which may not be sent', async (code) => {
      const connection = connect(core);
      await expect(hub.disconnect({ connectionId: 'c1' }, { code })).rejects.toThrow(RangeError);
      expect([connection.open, commands]).toEqual([true, []]);
    });

    it('rejects a reason that does not fit, counted in bytes', async () => {
      await expect(hub.disconnect({ connectionId: 'c1' }, { reason: 'ü'.repeat(62) })).rejects.toThrow('123 bytes');
      await expect(hub.disconnect({ connectionId: 'c1' }, { reason: 'x'.repeat(123) })).resolves.toBeDefined();
    });
  });

  describe('commands from other instances', () => {
    it('are carried out on the connections here', async () => {
      const connection = connect(core, { user: user('alice') });
      const target = { userId: 'alice' };
      core.commands.run({ kind: 'subscribe', target, channel: 'room' });
      await settle();
      core.commands.run({ kind: 'send', target, payload: '{"type":"hello"}' });
      core.commands.run({ kind: 'unsubscribe', target, channel: 'room', reason: '' });
      core.commands.run({ kind: 'disconnect', target, code: 4503, reason: 'bye' });
      expect(connection.types).toEqual(['subscribed', 'hello', 'unsubscribed']);
      expect(connection.closedWith).toEqual({ code: 4503, reason: 'bye' });
    });

    it('that fail are told to the log', async () => {
      const logger = new RecordingLogger();
      Logger.overrideLogger(logger);
      connect(core, { user: user('alice') });
      core.commands.run({ kind: 'subscribe', target: { userId: 'alice' }, channel: 'no name' });
      await settle();
      expect(logger.text).toContain('Could not subscribe to no name');
    });

    it('tell subscribers that continuity was lost', async () => {
      const connection = connect(core);
      await hub.subscribe({ connectionId: 'c1' }, 'kept:a');
      core.commands.reset('kept:a', { epoch: 'e', offset: 7, tag: 't' });
      core.commands.reset('kept:nobody', { epoch: 'e', offset: 7, tag: 't' });
      expect(connection.messages[1]).toMatchObject({ type: 'reset', channel: 'kept:a', cursor: 'e-7-t' });
    });
  });

  describe('register', () => {
    it('lets an object take part like any client', async () => {
      const recorder = new Recorder();
      const connection = hub.register(recorder, { id: 'r', user: user('robot') });
      await hub.subscribe({ connectionId: 'r' }, 'room');
      await hub.publish('room', 1);
      await hub.sendToUser('robot', 'hello');
      expect(recorder.messages.map(({ type }) => type)).toEqual(['subscribed', 'message', 'hello']);
      expect(hub.connections()).toMatchObject([{ id: 'r', user: 'robot', transport: 'custom', channels: ['room'] }]);
      expect(connection.transport).toBe('custom');
    });

    it('is idempotent, and so is unregister', () => {
      const recorder = new Recorder();
      expect(hub.register(recorder)).toBe(hub.register(recorder));
      expect(hub.stats().clients).toBe(1);
      expect([hub.unregister(recorder), hub.unregister(recorder), hub.unregister(new Recorder())]).toEqual([true, false, false]);
      expect([hub.stats().clients, recorder.closes]).toEqual([0, []]);
    });

    it('runs the handlers at both ends once', async () => {
      const calls: string[] = [];
      core.lifecycle.hooks = { ...NO_HOOKS, connected: async () => void calls.push('in'), disconnected: async () => void calls.push('out') };
      const recorder = new Recorder();
      hub.register(recorder);
      hub.unregister(recorder);
      hub.unregister(recorder);
      await core.lifecycle.settled();
      expect(calls).toEqual(['in', 'out']);
    });

    it('can be done again after unregister', async () => {
      const recorder = new Recorder();
      const first = hub.register(recorder);
      hub.unregister(recorder);
      const second = hub.register(recorder);
      expect(second).not.toBe(first);
      await hub.broadcast('news');
      expect(recorder.messages).toHaveLength(1);
    });

    it('refuses an id that is taken, and keeps the one that has it', async () => {
      const [first, second] = [new Recorder(), new Recorder()];
      hub.register(first, { id: 'r' });
      expect(() => hub.register(second, { id: 'r' })).toThrow('"r" is registered already');
      await hub.broadcast('news');
      expect([first.messages.length, second.messages.length]).toEqual([1, 0]);
      expect(hub.unregister(second)).toBe(false);
    });

    it('ends with a disconnect by the server, as any connection does', async () => {
      const recorder = new Recorder();
      hub.register(recorder, { id: 'r' });
      await hub.disconnect({ connectionId: 'r' }, { reason: 'bye' });
      expect(recorder.closes).toEqual([[4503, 'bye']]);
      expect([hub.stats().clients, hub.unregister(recorder)]).toEqual([0, false]);
    });

    it('ends when a connect handler refuses', async () => {
      core.lifecycle.hooks = { ...NO_HOOKS, connected: () => Promise.reject(new Error('no')) };
      const recorder = new Recorder();
      hub.register(recorder);
      await settle();
      expect([recorder.closes, hub.stats().clients]).toEqual([[[1011, 'refused']], 0]);
    });

    it('does not let a subscriber that throws keep others from their messages, or the hub from its shutdown', async () => {
      const bad: Subscriber = {
        send: () => {
          throw new Error('broken');
        },
        close: () => {
          throw new Error('broken too');
        },
      };
      const [before, after] = [new Recorder(), new Recorder()];
      for (const [index, subscriber] of [before, bad, after].entries()) {
        hub.register(subscriber, { id: String(index) });
        await hub.subscribe({ connectionId: String(index) }, 'room');
      }
      await hub.publish('room', 1);
      await hub.broadcast('news');
      expect(before.messages.map(({ type }) => type)).toEqual(['subscribed', 'message', 'news']);
      expect(after.messages.map(({ type }) => type)).toEqual(['subscribed', 'message', 'news']);
      await hub.shutdown();
      expect([core.state, hub.stats().clients]).toEqual(['closed', 0]);
      expect(after.closes).toEqual([[1001, 'server shutting down']]);
    });

    it('counts what a subscriber refuses as dropped', async () => {
      hub.register({ send: () => false, close: () => undefined });
      await hub.broadcast('news');
      expect(hub.stats()).toMatchObject({ delivered: 0, dropped: 1 });
    });

    it('stands subscribers that publish, leave and send others away in the middle of a publication', async () => {
      const [first, last] = [new Recorder(), new Recorder()];
      const busy: Subscriber = {
        send: (frame) => {
          if (!frame.text.includes('"go"')) return true;
          hub.unregister(first);
          hub.unregister(busy);
          void hub.publish('room', 'from within');
          return true;
        },
        close: () => undefined,
      };
      for (const [index, subscriber] of [first, busy, last].entries()) {
        hub.register(subscriber, { id: String(index) });
        await hub.subscribe({ connectionId: String(index) }, 'room');
      }
      await hub.publish('room', 'go');
      await settle();
      expect(first.messages.map(({ data }) => data)).toEqual([undefined]);
      expect(last.messages.map(({ data }) => data)).toEqual([undefined, 'go', 'from within']);
    });
  });

  describe('history and presence', () => {
    it('page through what a channel keeps', async () => {
      for (const data of [1, 2, 3]) await hub.publish('kept:a', data, { type: 'n', from: 'alice' });
      const page = await hub.history('kept:a', { limit: 2 });
      expect(page).toMatchObject({ complete: false, publications: [{ type: 'n', channel: 'kept:a', data: 1, from: 'alice' }, { data: 2 }] });
      const rest = await hub.history('kept:a', { after: page.publications[1]!.cursor });
      expect(rest).toMatchObject({ complete: true, publications: [{ data: 3 }], cursor: rest.publications[0]!.cursor });
      expect((await hub.history('kept:a', { reverse: true })).publications.map(({ data }) => data)).toEqual([3, 2, 1]);
    });

    it('reject a cursor that is none, and a channel that keeps nothing', async () => {
      await expect(hub.history('kept:a', { after: 'x' })).rejects.toMatchObject({ code: 'bad_request' });
      await expect(hub.history('room')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('reject, rather than throw, for a name that is none', async () => {
      await expect(hub.history('a b')).rejects.toThrow(InvalidChannelError);
      await expect(hub.presence('a b')).rejects.toThrow(InvalidChannelError);
      await expect(hub.clearHistory('a b')).rejects.toThrow(InvalidChannelError);
    });

    it('forget a history when told to', async () => {
      await hub.publish('kept:a', 1);
      await hub.clearHistory('kept:a');
      expect((await hub.history('kept:a')).publications).toEqual([]);
    });

    it('tell who is there', async () => {
      connect(core, { user: user('alice') });
      await hub.subscribe({ connectionId: 'c1' }, 'here:a');
      expect(await hub.presence('here:a')).toEqual({ members: [{ connectionId: 'c1', user: 'alice', info: null }], count: 1, users: 1 });
    });
  });

  it('lists connections and channels as they are', async () => {
    connect(core, { id: 'a', user: user('alice') });
    connect(core, { id: 'b' });
    for (const id of ['a', 'b']) await hub.subscribe({ connectionId: id }, 'room');
    expect(hub.channels()).toEqual([{ name: 'room', subscribers: 2 }]);
    expect(hub.channelInfo('room')).toEqual({ name: 'room', subscribers: 2, connections: ['a', 'b'] });
    expect(hub.channelInfo('none')).toBeUndefined();
    expect(hub.connections().map(({ id, user: name }) => [id, name])).toEqual([['a', 'alice'], ['b', null]]);
  });

  it('refuses everything once it has been shut down', async () => {
    const recorder = new Recorder();
    hub.register(recorder);
    await Promise.all([hub.shutdown(), hub.shutdown()]);
    await hub.shutdown();
    const target = { userId: 'alice' };
    for (const attempt of [
      () => hub.publish('room', 1),
      () => hub.broadcast('x'),
      () => hub.sendToUser('alice', 'x'),
      () => hub.sendToConnection('c1', 'x'),
      () => hub.subscribe(target, 'room'),
      () => hub.unsubscribe(target, 'room'),
      () => hub.disconnect(target),
      () => hub.clearHistory('kept:a'),
    ]) {
      await expect(attempt()).rejects.toThrow(HubClosedError);
    }
    expect(() => hub.register(recorder)).toThrow(HubClosedError);
    expect(() => hub.register(new Recorder())).toThrow(HubClosedError);
    expect(hub.unregister(recorder)).toBe(false);
  });

  it('streams the output and the status of processes', async () => {
    const connection = connect(core);
    await hub.subscribe({ connectionId: 'c1' }, ProcessOutputService.channel('build-42'));
    const output = new ProcessOutputService(hub);
    await output.output('build-42', 'line');
    await output.status('build-42', 'exited', 1);
    await output.status('build-42', 'running');
    expect(connection.messages.slice(1)).toMatchObject([
      { type: 'process_output', channel: 'process:build-42', data: 'line' },
      { type: 'process_status', data: { status: 'exited', exitCode: 1 } },
      { type: 'process_status', data: { status: 'running' } },
    ]);
    await expect(output.output('a b', 'x')).rejects.toThrow(InvalidChannelError);
  });

  describe('subscribe', () => {
    it('reaches the other connections of a user, on other instances too, when one of them has no room', async () => {
      core = await startHub({ limits: { subscriptionsPerConnection: 1 } }, core.adapter);
      hub = new HubService(core);
      const [full, free] = [connect(core, { id: '1', user: user('alice') }), connect(core, { id: '2', user: user('alice') })];
      await hub.subscribe({ connectionId: '1' }, 'first');
      commands.length = 0;
      await expect(hub.subscribe({ userId: 'alice' }, 'second')).rejects.toThrow(SubscriptionLimitError);
      expect([full.channels, free.channels]).toEqual([['first'], ['second']]);
      expect(commands).toEqual([{ kind: 'subscribe', target: { userId: 'alice' }, channel: 'second' }]);
    });

    it('tells when the others could not be reached', async () => {
      const alice = connect(core, { user: user('alice') });
      core.adapter.control = () => Promise.reject(new Error('no way to the others'));
      await expect(hub.subscribe({ userId: 'alice' }, 'here')).rejects.toThrow('no way to the others');
      expect(alice.channels).toEqual(['here']);
    });
  });
});
