import type { Channel, Frame } from '../../../lib/client';
import { type TestClient, connected, outcome } from './support/client';

type Recorded = [event: string, ...args: unknown[]];

/** A channel of a connected client, with everything that it tells. */
class TestChannel {
  readonly events: Recorded[] = [];
  readonly channel: Channel;

  constructor(readonly test: TestClient) {
    this.channel = test.client.channel('room:a');
    this.channel.on('message', (data, context) => this.events.push(['message', data, context.cursor]));
    this.channel.on('subscribed', (context) => this.events.push(['subscribed', context]));
    this.channel.on('unsubscribed', (context) => this.events.push(['unsubscribed', context]));
    this.channel.on('reset', (context) => this.events.push(['reset', context]));
    this.channel.on('error', (error) => this.events.push(['error', error]));
  }

  get names(): string[] {
    return this.events.map(([name]) => name);
  }

  get messages(): unknown[] {
    return this.events.flatMap(([name, data]) => (name === 'message' ? [data] : []));
  }

  last(name: string): unknown {
    return this.events.findLast(([event]) => event === name)?.[1];
  }

  /** The last subscribe that the client sent. */
  get request(): { id: number; cursor?: string; replay?: number } {
    const frame = this.test.socket.sentOf('subscribe').at(-1);
    if (!frame) throw new Error('no subscribe was sent');
    return frame;
  }

  async answer(fields: Partial<Frame> = {}): Promise<void> {
    const { id } = this.request;
    await this.test.socket.receive({ type: 'subscribed', id, channel: 'room:a', recoverable: true, ...fields });
  }

  async refuse(code: string): Promise<void> {
    const { id } = this.request;
    await this.test.socket.receive({ type: 'error', id, channel: 'room:a', data: { code, message: `is ${code}` } });
  }

  async publish(...positions: number[]): Promise<void> {
    const frames = positions.map((n) => ({ type: 'news', channel: 'room:a', data: n, cursor: `c${n}` }));
    await this.test.socket.receive(...frames);
  }

  async reconnect(): Promise<void> {
    await this.test.socket.end();
    await (await this.test.reconnect()).welcome();
  }
}

/** @param cursor null: the channel keeps no history */
async function subscribed(cursor: string | null = 'c0', fields: Partial<Frame> = {}): Promise<TestChannel> {
  const room = new TestChannel(await connected());
  const subscribing = room.channel.subscribe();
  await room.answer({ cursor: cursor ?? undefined, ...fields });
  await subscribing;
  room.events.length = 0;
  return room;
}

describe('subscribing', () => {
  it('resolves with what the server answered, and tells it as an event, on the channel and on the client', async () => {
    const room = new TestChannel(await connected());
    const onClient: unknown[] = [];
    room.test.client.on('subscribed', (channel, context) => onClient.push([channel, context]));
    const subscribing = outcome(room.channel.subscribe());
    expect(room.channel.state).toBe('subscribing');
    expect(room.test.socket.sent).toEqual([{ type: 'subscribe', channel: 'room:a', id: expect.any(Number) }]);
    await room.answer({ cursor: 'c0', data: { topic: 'tea' } });
    const context = {
      data: { topic: 'tea' },
      recoverable: true,
      recovered: undefined,
      cursor: 'c0',
      resubscribed: false,
      byServer: false,
    };
    expect(subscribing).toEqual({ value: context, settled: 1 });
    expect(room.events).toEqual([['subscribed', context]]);
    expect(onClient).toEqual([[room.channel, context]]);
    expect(room.channel.state).toBe('subscribed');
  });

  it('asks once, however often it is called', async () => {
    const room = new TestChannel(await connected());
    const first = room.channel.subscribe();
    const second = room.channel.subscribe();
    await room.answer({ cursor: 'c0' });
    expect(await first).toBe(await second);
    expect(await room.channel.subscribe()).toBe(await first);
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(1);
  });

  it('waits for a connection', async () => {
    const room = new TestChannel(await connected());
    await room.test.socket.end();
    const subscribing = outcome(room.channel.subscribe());
    await (await room.test.reconnect()).welcome();
    await room.answer();
    expect(subscribing.settled).toBe(1);
  });

  it('goes on with the next connection when this one is lost before the answer', async () => {
    const room = new TestChannel(await connected());
    const subscribing = outcome(room.channel.subscribe({ replay: 5 }));
    expect(room.request.replay).toBe(5);
    await room.reconnect();
    expect(subscribing.settled).toBe(0);
    expect(room.request.replay).toBe(5);
    await room.answer();
    expect(subscribing.settled).toBe(1);
  });

  it('begins where it is told to', async () => {
    const room = new TestChannel(await connected());
    void room.channel.subscribe({ cursor: 'c41' });
    expect(room.request).toMatchObject({ cursor: 'c41' });
    await room.answer({ recovered: true, cursor: 'c41' });
    await room.publish(42);
    expect(room.channel.cursor).toBe('c42');
  });

  it('rejects with what the server answers, and does not ask again', async () => {
    const room = new TestChannel(await connected());
    const subscribing = outcome(room.channel.subscribe());
    await room.refuse('forbidden');
    expect(subscribing.error).toMatchObject({ code: 'forbidden', message: 'is forbidden' });
    expect(room.channel.state).toBe('unsubscribed');
    await room.reconnect();
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(0);
    expect(room.events).toEqual([]);
  });

  it('rejects when no answer comes in time, and takes the request back', async () => {
    const room = new TestChannel(await connected({ timeout: 3000 }));
    const subscribing = outcome(room.channel.subscribe());
    await room.test.platform.advance(3000);
    expect(subscribing.error).toMatchObject({ code: 'unavailable', reason: 'timeout' });
    expect(room.test.socket.sent.map(({ type }) => type)).toEqual(['subscribe', 'unsubscribe']);
    await room.answer();
    await room.publish(1);
    expect(room.events).toEqual([]);
  });

  it('rejects when the client stops, and can be called again', async () => {
    const room = new TestChannel(await connected());
    const subscribing = outcome(room.channel.subscribe());
    await room.test.socket.end(4503);
    expect(subscribing.error).toMatchObject({ closeCode: 4503 });
    await expect(room.channel.subscribe()).rejects.toMatchObject({ closeCode: 4503 });
    void room.test.client.connect();
    await room.test.platform.advance(0);
    await room.test.socket.welcome();
    expect(room.test.socket.sentOf('subscribe')).toEqual([]);
    const again = outcome(room.channel.subscribe());
    await room.answer();
    expect(again.settled).toBe(1);
  });
});

describe('messages', () => {
  it('come with their context', async () => {
    const room = await subscribed();
    const seen: unknown[] = [];
    room.channel.on('message', (...args) => seen.push(args));
    const context = { type: 'chat', from: 'alice', cursor: 'c1', timestamp: '2030-01-01T00:00:00.000Z' };
    await room.test.socket.receive({ ...context, channel: 'room:a', data: { text: 'hi' } });
    expect(seen).toEqual([[{ text: 'hi' }, context]]);
  });

  it('can be listened to by type', async () => {
    const room = await subscribed();
    const seen: unknown[] = [];
    const remove = room.channel.onMessage('chat', (data, { type }) => seen.push([data, type]));
    await room.test.socket.receive(
      { type: 'typing', channel: 'room:a', data: 1 },
      { type: 'chat', channel: 'room:a', data: 2 },
    );
    remove();
    await room.test.socket.receive({ type: 'chat', channel: 'room:a', data: 3 });
    expect(seen).toEqual([[2, 'chat']]);
  });

  it('of a channel that is not subscribed are not handed on', async () => {
    const room = new TestChannel(await connected());
    await room.publish(1);
    void room.channel.subscribe();
    await room.publish(2);
    await room.answer({ cursor: 'c2' });
    await room.publish(3);
    expect(room.messages).toEqual([3]);
  });

  it('without a channel come to the client', async () => {
    const test = await connected();
    const seen: unknown[] = [];
    test.client.on('message', (...args) => seen.push(args));
    await test.socket.receive({ type: 'notice', data: 1, from: 'bob', timestamp: 't' });
    await test.socket.receive({ type: 'pong' });
    expect(seen).toEqual([[1, { type: 'notice', from: 'bob', timestamp: 't' }]]);
  });

  it('and answers in one turn are handled in their order', async () => {
    const room = new TestChannel(await connected());
    void room.channel.subscribe({ replay: 2 });
    const { id } = room.request;
    const { socket } = room.test;
    socket.receiveText(JSON.stringify({ type: 'subscribed', id, channel: 'room:a', recoverable: true, cursor: 'c0' }));
    socket.receiveText(JSON.stringify({ type: 'news', channel: 'room:a', data: 1, cursor: 'c1' }));
    expect(room.names).toEqual(['subscribed', 'message']);
    expect(room.channel.cursor).toBe('c1');
  });
});

describe('after a reconnection', () => {
  it('continues from the last message received, and receives what it missed once and in order', async () => {
    const room = await subscribed();
    await room.publish(1, 2);
    await room.reconnect();
    expect(room.request).toMatchObject({ cursor: 'c2' });
    await room.answer({ recovered: true, cursor: 'c2' });
    await room.publish(3, 4);
    expect(room.messages).toEqual([1, 2, 3, 4]);
    expect(room.last('subscribed')).toMatchObject({ recovered: true, resubscribed: true, cursor: 'c2' });
    expect(room.names).not.toContain('reset');
  });

  it('continues from where it was cut in the middle of a recovery', async () => {
    const room = await subscribed();
    await room.reconnect();
    await room.answer({ recovered: true, cursor: 'c0' });
    await room.publish(1);
    await room.reconnect();
    expect(room.request).toMatchObject({ cursor: 'c1' });
  });

  it('does not ask for the first replay again', async () => {
    const room = new TestChannel(await connected());
    void room.channel.subscribe({ replay: 5 });
    await room.answer({ cursor: undefined, recoverable: false });
    await room.reconnect();
    expect(room.request.replay).toBeUndefined();
  });

  it('tells of a gap, and goes on from where the server stands', async () => {
    const room = await subscribed();
    await room.publish(1);
    await room.reconnect();
    await room.answer({ recovered: false, cursor: 'c9' });
    await room.publish(10);
    expect(room.names).toEqual(['message', 'subscribed', 'reset', 'message']);
    expect(room.last('subscribed')).toMatchObject({ recovered: false, cursor: 'c9' });
    expect(room.last('reset')).toEqual({ by: 'resubscribe', cursor: 'c9' });
    expect(room.channel.cursor).toBe('c10');
  });

  it('does not speak of recovery where a channel keeps no history', async () => {
    const room = await subscribed(null, { recoverable: false });
    await room.reconnect();
    expect(room.request.cursor).toBeUndefined();
    await room.answer({ recoverable: false });
    expect(room.last('subscribed')).toMatchObject({ recoverable: false, resubscribed: true });
    expect(room.last('subscribed')).not.toHaveProperty('recovered', true);
    expect(room.names).not.toContain('reset');
  });

  it('tells of a gap when a channel has lost its history for good', async () => {
    const room = await subscribed('c5');
    await room.reconnect();
    await room.answer({ recoverable: false, recovered: false });
    expect(room.names).toEqual(['subscribed', 'reset']);
    await room.reconnect();
    expect(room.request.cursor).toBeUndefined();
  });

  it('ends a subscription that is refused now, with an error, and does not ask again', async () => {
    const room = await subscribed();
    await room.reconnect();
    await room.refuse('forbidden');
    expect(room.names).toEqual(['unsubscribed', 'error']);
    expect(room.last('unsubscribed')).toMatchObject({ reason: 'is forbidden', error: { code: 'forbidden' } });
    expect(room.test.errors).toEqual([expect.objectContaining({ code: 'forbidden' })]);
    await room.test.platform.advance(20_000);
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(1);
    await room.reconnect();
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(0);
  });

  it.each(['unavailable', 'internal', 'rate_limited'])('tries again later after %s', async (code) => {
    const room = await subscribed('c3');
    await room.reconnect();
    for (let i = 1; i <= 3; i++) {
      await room.refuse(code);
      expect(room.channel.state).toBe('subscribing');
      expect(room.test.socket.sentOf('subscribe')).toHaveLength(i);
      await room.test.platform.advance(999);
      expect(room.test.socket.sentOf('subscribe')).toHaveLength(i);
      await room.test.platform.advance(7001);
      expect(room.test.socket.sentOf('subscribe')).toHaveLength(i + 1);
    }
    await room.answer({ recovered: true, cursor: 'c3' });
    expect(room.names).toEqual(['error', 'error', 'error', 'subscribed']);
  });

  it('waits for the answer as long as the connection lives: a second request would have a second answer', async () => {
    const room = await subscribed('c3');
    await room.reconnect();
    await room.test.platform.advance(25_000);
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(1);
    await room.answer({ recovered: true, cursor: 'c3' });
    expect(room.channel.state).toBe('subscribed');
  });

  it('resubscribes after the client has stopped and was connected again', async () => {
    const room = await subscribed('c3');
    await room.test.socket.end(4503);
    expect(room.channel.state).toBe('subscribing');
    void room.test.client.connect();
    await room.test.platform.advance(0);
    await room.test.socket.welcome();
    expect(room.request).toMatchObject({ cursor: 'c3' });
  });
});

describe('unsubscribing', () => {
  it('tells the server, ends the events and forgets the place', async () => {
    const room = await subscribed();
    await room.publish(1);
    room.channel.unsubscribe();
    await room.publish(2);
    expect(room.test.socket.sentOf('unsubscribe')).toEqual([expect.objectContaining({ channel: 'room:a' })]);
    expect(room.names).toEqual(['message', 'unsubscribed']);
    expect(room.last('unsubscribed')).not.toHaveProperty('error');
    expect(room.channel.cursor).toBeUndefined();
    expect(room.channel.state).toBe('unsubscribed');
    await room.reconnect();
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(0);
  });

  it('rejects a subscribe() that is under way', async () => {
    const room = new TestChannel(await connected());
    const subscribing = outcome(room.channel.subscribe());
    room.channel.unsubscribe();
    await room.answer();
    expect(subscribing.error).toMatchObject({ by: 'unsubscribe' });
    expect(room.channel.state).toBe('unsubscribed');
    expect(room.names).toEqual(['unsubscribed']);
  });

  it('and subscribing again at once begins anew, without what was still on the way', async () => {
    const room = await subscribed('c5');
    room.channel.unsubscribe();
    void room.channel.subscribe();
    expect(room.test.socket.sent.map(({ type }) => type)).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
    expect(room.request.cursor).toBeUndefined();
    await room.publish(6);
    await room.test.socket.receive({ type: 'unsubscribed', channel: 'room:a', id: room.test.socket.sentOf('unsubscribe')[0]!.id });
    await room.answer({ cursor: 'c6' });
    await room.publish(7);
    expect(room.messages).toEqual([7]);
    expect(room.names).not.toContain('reset');
  });

  it('does nothing to a channel that is not subscribed', async () => {
    const room = new TestChannel(await connected());
    room.channel.unsubscribe();
    expect(room.test.socket.sent).toEqual([]);
    expect(room.events).toEqual([]);
  });

  it('is possible without a connection', async () => {
    const room = await subscribed();
    await room.test.socket.end();
    room.channel.unsubscribe();
    await (await room.test.reconnect()).welcome();
    expect(room.test.socket.sent).toEqual([]);
  });

  it('takes back what the server joins while the request is on its way', async () => {
    const room = await subscribed();
    room.channel.unsubscribe();
    const { id } = room.test.socket.sentOf('unsubscribe')[0]!;
    await room.test.socket.receive(
      { type: 'subscribed', channel: 'room:a', recoverable: true, cursor: 'c0' },
      { type: 'unsubscribed', channel: 'room:a', id },
    );
    await room.publish(1);
    expect(room.messages).toEqual([]);
    expect(room.channel.state).toBe('unsubscribed');
  });

  it('by removeChannel() forgets the object as well', async () => {
    const room = await subscribed();
    room.test.client.removeChannel('room:a');
    expect(room.names).toEqual(['unsubscribed']);
    expect(room.test.client.channel('room:a')).not.toBe(room.channel);
    room.test.client.removeChannel('room:unknown');
  });
});

describe('what the server does of its own accord', () => {
  it('ends a subscription: the channel tells why and stays without', async () => {
    const room = await subscribed();
    const data = { code: 4503, reason: 'moderated' };
    await room.test.socket.receive({ type: 'unsubscribed', channel: 'room:a', data });
    await room.publish(1);
    expect(room.events).toEqual([['unsubscribed', { ...data, error: expect.objectContaining({ code: 'forbidden' }) }]]);
    await room.reconnect();
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(0);
  });

  it('loses its place in the channel: the client asks again, from its position', async () => {
    const room = await subscribed('c3');
    const data = { code: 4010, reason: 'state lost' };
    await room.test.socket.receive({ type: 'unsubscribed', channel: 'room:a', data });
    expect(room.names).toEqual(['error']);
    expect(room.last('error')).toMatchObject({ code: 'unavailable', message: 'state lost' });
    expect(room.channel.state).toBe('subscribing');

    await room.test.platform.advance(room.test.platform.nextTimerIn!);
    expect(room.request).toMatchObject({ cursor: 'c3' });
    await room.answer({ recovered: true, cursor: 'c3' });
    await room.publish(4);
    expect(room.channel.state).toBe('subscribed');
    expect(room.names).toEqual(['error', 'subscribed', 'message']);
    expect(room.last('subscribed')).toMatchObject({ recovered: true, resubscribed: true });
  });

  it('loses its place in a channel that is left meanwhile: nobody asks again', async () => {
    const room = await subscribed('c3');
    await room.test.socket.receive({ type: 'unsubscribed', channel: 'room:a', data: { code: 4010, reason: '' } });
    const { length } = room.test.socket.sentOf('subscribe');
    room.channel.unsubscribe();
    await room.test.platform.advance(2000);
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(length);
    expect(room.channel.state).toBe('unsubscribed');
  });

  it('loses continuity: the channel tells, and goes on from there', async () => {
    const room = await subscribed();
    await room.test.socket.receive({ type: 'reset', channel: 'room:a', cursor: 'c7' });
    await room.publish(8);
    expect(room.events).toEqual([
      ['reset', { by: 'server', cursor: 'c7' }],
      ['message', 8, 'c8'],
    ]);
  });

  it('loses continuity while a resubscription is on its way: the channel tells then', async () => {
    const room = await subscribed('c3');
    await room.reconnect();
    await room.test.socket.receive({ type: 'reset', channel: 'room:a', cursor: 'c7' });
    expect(room.events).toEqual([]);
    await room.answer({ recovered: true, cursor: 'c3' });
    expect(room.names).toEqual(['subscribed', 'reset']);
    expect(room.last('subscribed')).toMatchObject({ recovered: false });
  });

  it('fails at something about a channel: the channel and the client tell', async () => {
    const room = await subscribed();
    const data = { code: 'rate_limited', message: 'slow down', details: { perSecond: 5 } };
    await room.test.socket.receive({ type: 'error', channel: 'room:a', data }, { type: 'error', data });
    expect(room.events).toEqual([['error', expect.objectContaining(data)]]);
    expect(room.test.errors).toEqual([expect.objectContaining(data), expect.objectContaining(data)]);
  });

  it('joins a channel: its messages come, also to a listener that is added then', async () => {
    const test = await connected();
    const messages: unknown[] = [];
    test.client.on('subscribed', (channel, { byServer, data }) => {
      channel.on('message', (message) => messages.push([channel.name, byServer, data, message]));
    });
    await test.socket.receive(
      { type: 'subscribed', channel: 'room:b', recoverable: true, cursor: 'c0', data: 'welcome' },
      { type: 'news', channel: 'room:b', data: 1, cursor: 'c1' },
    );
    expect(messages).toEqual([['room:b', true, 'welcome', 1]]);
    expect(test.client.channel('room:b').state).toBe('subscribed');
  });
});

describe('a channel that the server joins on every connection', () => {
  const join = (cursor: string): Frame => ({ type: 'subscribed', channel: 'room:a', recoverable: true, cursor });
  const joined = async (): Promise<TestChannel> => {
    const room = new TestChannel(await connected());
    await room.test.socket.receive(join('c0'));
    await room.publish(1);
    room.events.length = 0;
    return room;
  };

  it('is not asked for by the client', async () => {
    const room = await joined();
    await room.reconnect();
    expect(room.test.socket.sent).toEqual([]);
    expect(room.channel.state).toBe('unsubscribed');
  });

  it('goes on without a gap when nothing happened meanwhile', async () => {
    const room = await joined();
    await room.reconnect();
    await room.test.socket.receive(join('c1'));
    await room.publish(2);
    expect(room.names).toEqual(['subscribed', 'message']);
    expect(room.last('subscribed')).toMatchObject({ recovered: true, byServer: true });
  });

  it('continues from its position when something did happen', async () => {
    const room = await joined();
    await room.reconnect();
    await room.test.socket.receive({ ...join('c2'), data: 'welcome' });
    expect(room.channel.state).toBe('subscribing');
    expect(room.request).toMatchObject({ cursor: 'c1' });
    await room.answer({ recovered: true, cursor: 'c1' });
    await room.publish(2);
    expect(room.names).toEqual(['subscribed', 'message']);
    expect(room.last('subscribed')).toMatchObject({ recovered: true, byServer: true, data: 'welcome' });
  });

  it('tells of a gap when it cannot be continued', async () => {
    const room = await joined();
    await room.reconnect();
    await room.test.socket.receive(join('c5'));
    await room.publish(6);
    await room.answer({ recovered: false, cursor: 'c6' });
    await room.publish(7);
    expect(room.names).toEqual(['subscribed', 'reset', 'message']);
    expect(room.messages).toEqual([7]);
    expect(room.channel.cursor).toBe('c7');
  });

  it('is asked for once when the application wants it too', async () => {
    const room = await joined();
    void room.channel.subscribe();
    await room.answer({ cursor: 'c1' });
    await room.reconnect();
    await room.test.socket.receive(join('c2'));
    expect(room.test.socket.sentOf('subscribe')).toHaveLength(1);
    await room.answer({ recovered: true, cursor: 'c1' });
    await room.publish(2);
    expect(room.names).not.toContain('reset');
    expect(room.messages).toEqual([2]);
  });

  it('may be subscribed as well: the answer brings its data and disturbs nothing', async () => {
    const room = await joined();
    const subscribing = outcome(room.channel.subscribe());
    expect(room.request.cursor).toBeUndefined();
    await room.publish(2);
    await room.answer({ cursor: 'c1', data: 'state' });
    await room.publish(3);
    expect(room.names).toEqual(['message', 'subscribed', 'message']);
    expect(room.last('subscribed')).toMatchObject({ recovered: true, cursor: 'c2', byServer: false });
    expect(subscribing.value).toMatchObject({ data: 'state' });
    await room.reconnect();
    expect(room.request).toMatchObject({ cursor: 'c3' });
  });

  it('does not lose or repeat anything when the answer crosses the join', async () => {
    const room = new TestChannel(await connected());
    void room.channel.subscribe();
    await room.test.socket.receive(join('c4'));
    await room.publish(5);
    await room.answer({ cursor: 'c4' });
    await room.publish(6);
    expect(room.messages).toEqual([5, 6]);
    expect(room.channel.cursor).toBe('c6');
    expect(room.names).not.toContain('reset');
  });

  it('stays when the subscription is refused', async () => {
    const room = await joined();
    const subscribing = outcome(room.channel.subscribe());
    await room.refuse('forbidden');
    expect(subscribing.error).toMatchObject({ code: 'forbidden' });
    await room.publish(2);
    expect(room.messages).toEqual([2]);
    expect(room.channel.state).toBe('subscribed');
    expect(room.names).not.toContain('unsubscribed');
  });

  it('is left when the server ends it while a subscribe is on its way, and held when that is accepted', async () => {
    const room = await joined();
    void room.channel.subscribe();
    await room.test.socket.receive({ type: 'unsubscribed', channel: 'room:a', data: { code: 4503, reason: '' } });
    await room.publish(2);
    await room.answer({ cursor: 'c2' });
    await room.publish(3);
    expect(room.names).toEqual(['subscribed', 'reset', 'message']);
    expect(room.messages).toEqual([3]);
  });
});
