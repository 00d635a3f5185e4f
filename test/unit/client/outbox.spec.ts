import { ClientLimitError, type Frame, UnansweredError } from '../../../lib/client';
import { type TestClient, connected, outcome } from './support/client';

const ack = (id: number, data?: unknown, cursor?: string): Frame => ({ type: 'ack', id, data, cursor });

function cyclic(): object {
  const data: { self?: unknown } = {};
  data.self = data;
  return data;
}

/** Answers the messages of a type that the client has sent on the last connection. */
async function acknowledge(test: TestClient, type: string): Promise<void> {
  for (const { id } of test.socket.sentOf(type)) await test.socket.receive(ack(id));
}

describe('publishing', () => {
  it('resolves with what the server made of it', async () => {
    const test = await connected();
    const publishing = test.client.channel('room:a').publish('chat', { text: 'hi' });
    const [sent] = test.socket.sent;
    expect(sent).toEqual({
      type: 'chat',
      channel: 'room:a',
      data: { text: 'hi' },
      id: expect.any(Number),
      idempotencyKey: expect.stringMatching(/^\d{4,}-\d+$/),
    });
    await test.socket.receive({ ...ack(sent!.id, { done: true }, 'c1'), channel: 'room:a', timestamp: 't' });
    await expect(publishing).resolves.toEqual({ cursor: 'c1', data: { done: true }, timestamp: 't' });
  });

  it('rejects with the error that the server answered', async () => {
    const test = await connected();
    const publishing = outcome(test.client.channel('room:a').publish('chat', {}));
    const data = { code: 'validation_failed', message: 'text is missing', details: [{ property: 'text' }] };
    await test.socket.receive({ type: 'error', id: test.socket.sent[0]!.id, data });
    expect(publishing.error).toMatchObject(data);
  });

  it('uses a new key each time, or the one that it is given', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    for (const idempotencyKey of [undefined, undefined, 'mine']) {
      void room.publish('chat', 1, { idempotencyKey }).catch(() => undefined);
    }
    await test.platform.advance(0);
    const keys = test.socket.sent.map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe('mine');
    test.client.close();
  });

  it('sends what the data was at the time of the call', async () => {
    const test = await connected();
    await test.socket.end();
    const data = { text: 'before' };
    void test.client.channel('room:a').publish('chat', data).catch(() => undefined);
    await test.platform.advance(0);
    data.text = 'after';
    await (await test.reconnect()).welcome();
    expect(test.socket.sent[0]).toMatchObject({ data: { text: 'before' } });
    test.client.close();
  });

  it.each([
    ['a cycle', cyclic()],
    ['a BigInt', { n: 1n }],
  ])('rejects %s, which has no JSON form, and goes on', async (_name, data) => {
    const test = await connected();
    await expect(test.client.channel('room:a').publish('chat', data)).rejects.toMatchObject({ name: 'TypeError' });
    expect(test.socket.sent).toEqual([]);
    expect(test.client.state).toBe('connected');
  });

  it('rejects what is larger than the server takes, measured as the server measures it', async () => {
    const test = await connected({ maxMessageBytes: 1000 });
    const tooBig = outcome(test.client.request('ask', '€'.repeat(330)));
    const fits = outcome(test.client.request('ask', 'e'.repeat(900)));
    await test.platform.advance(0);
    expect(tooBig.error).toBeInstanceOf(ClientLimitError);
    expect(tooBig.error).toMatchObject({ code: 'limit_exceeded', option: 'maxMessageBytes', limit: 1000 });
    expect(fits.settled).toBe(0);
    expect(test.socket.sent).toHaveLength(1);
    test.client.close();
  });
});

describe('a request', () => {
  it('resolves with what the handler returned', async () => {
    const test = await connected();
    const requesting = test.client.request('quote', { symbol: 'X' });
    await test.platform.advance(0);
    expect(test.socket.sent[0]).toMatchObject({ type: 'quote', data: { symbol: 'X' } });
    await test.socket.receive(ack(test.socket.sent[0]!.id, { price: 7 }));
    await expect(requesting).resolves.toEqual({ price: 7 });
  });

  it('rejects when no answer comes in time, and takes no notice of a late one', async () => {
    const test = await connected({ timeout: 5000 });
    const byOption = outcome(test.client.request('ask'));
    const byCall = outcome(test.client.request('ask', 1, { timeout: 100 }));
    await test.platform.advance(100);
    expect([byOption.settled, byCall.settled]).toEqual([0, 1]);
    await test.platform.advance(4900);
    expect(byOption.error).toBeInstanceOf(UnansweredError);
    expect(byOption.error).toMatchObject({ code: 'unavailable', reason: 'timeout', wasSent: true });
    await acknowledge(test, 'ask');
    expect([byOption.settled, byCall.settled]).toEqual([1, 1]);
  });

  it('that was sent when the connection was lost is not sent again: it might run twice', async () => {
    const test = await connected();
    const requesting = outcome(test.client.request('pay'));
    await test.platform.advance(0);
    await test.socket.end();
    expect(requesting.error).toMatchObject({ code: 'unavailable', reason: 'lost', wasSent: true });
    await (await test.reconnect()).welcome();
    expect(test.socket.sent).toEqual([]);
  });

  it('is sent again with retry', async () => {
    const test = await connected();
    const requesting = outcome(test.client.request('look', 1, { retry: true }));
    await test.platform.advance(0);
    await test.socket.end();
    await (await test.reconnect()).welcome();
    await acknowledge(test, 'look');
    expect(requesting).toMatchObject({ settled: 1 });
    expect(requesting.error).toBeUndefined();
  });
});

describe('without a connection', () => {
  it('publications and requests wait, and are sent in their order', async () => {
    const test = await connected();
    await test.socket.end();
    const room = test.client.channel('room:a');
    const outcomes = [room.publish('one', 1), test.client.request('two', 2), room.publish('three', 3)].map(outcome);
    await (await test.reconnect()).welcome();
    expect(test.socket.sent.map(({ type }) => type)).toEqual(['one', 'two', 'three']);
    for (const { id } of test.socket.sent) await test.socket.receive(ack(id));
    expect(outcomes.map(({ settled, error }) => [settled, error])).toEqual([[1, undefined], [1, undefined], [1, undefined]]);
  });

  it('a publication whose outcome is unknown is sent again under its key, before what was made later', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    const first = outcome(room.publish('one', 1));
    await test.platform.advance(0);
    const [sent] = test.socket.sent;
    const second = outcome(room.publish('two', 2));
    await test.platform.advance(0);
    await test.socket.end();
    const third = outcome(room.publish('three', 3));
    await (await test.reconnect()).welcome();
    expect(test.socket.sent.map(({ type }) => type)).toEqual(['one', 'two', 'three']);
    expect(test.socket.sent[0]).toEqual(sent);
    for (const { id } of test.socket.sent) await test.socket.receive(ack(id));
    expect([first, second, third].map(({ settled }) => settled)).toEqual([1, 1, 1]);
  });

  it('what was sent comes before what waited for a subscription meanwhile', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    const first = outcome(room.publish('one', 1));
    await test.platform.advance(0);
    void room.subscribe();
    const second = outcome(room.publish('two', 2));
    await test.platform.advance(0);
    await test.socket.end();
    await (await test.reconnect()).welcome();
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    expect(test.socket.sent.map(({ type }) => type)).toEqual(['subscribe', 'one', 'two']);
    for (const { id } of test.socket.sent.slice(1)) await test.socket.receive(ack(id));
    expect([first.settled, second.settled]).toEqual([1, 1]);
  });

  it('only so many wait', async () => {
    const test = await connected({ offlineQueue: { size: 2 } });
    await test.socket.end();
    const outcomes = [1, 2, 3].map((n) => outcome(test.client.request('ask', n)));
    await test.platform.advance(0);
    expect(outcomes.map(({ settled }) => settled)).toEqual([0, 0, 1]);
    expect(outcomes[2]!.error).toMatchObject({ code: 'limit_exceeded', option: 'offlineQueue.size', limit: 2 });
    test.client.close();
  });

  it('none waits with a size of 0, and with a connection it is as ever', async () => {
    const test = await connected({ offlineQueue: { size: 0 } });
    const online = outcome(test.client.request('ask'));
    await test.platform.advance(0);
    await acknowledge(test, 'ask');
    expect(online).toMatchObject({ settled: 1 });
    expect(online.error).toBeUndefined();
    await test.socket.end();
    await expect(test.client.request('ask')).rejects.toBeInstanceOf(ClientLimitError);
  });

  it('each waits for maxAge and no longer', async () => {
    const test = await connected({ offlineQueue: { maxAge: 5000 }, minDelay: 60_000, maxDelay: 60_000 });
    await test.socket.end();
    const first = outcome(test.client.request('ask'));
    await test.platform.advance(2000);
    const second = outcome(test.client.request('ask'));
    await test.platform.advance(3000);
    expect([first.settled, second.settled]).toEqual([1, 0]);
    expect(first.error).toMatchObject({ code: 'unavailable', reason: 'expired', wasSent: false });
    await test.platform.advance(2000);
    expect(second.settled).toBe(1);
  });

  it('a publication is not sent again when the server may have forgotten its key', async () => {
    const test = await connected({ offlineQueue: { maxAge: 3_600_000 }, minDelay: 1_000_000, maxDelay: 1_000_000 });
    const publishing = outcome(test.client.channel('room:a').publish('chat', 1));
    await test.platform.advance(0);
    await test.socket.end();
    await test.platform.advance(269_999);
    expect(publishing.settled).toBe(0);
    await test.platform.advance(1);
    expect(publishing.error).toMatchObject({ reason: 'expired', wasSent: true });
  });

  it('everything is rejected when the client stops, and nothing waits until it is connected again', async () => {
    const test = await connected();
    const inFlight = outcome(test.client.channel('room:a').publish('chat', 1));
    await test.platform.advance(0);
    await test.socket.end();
    const waiting = outcome(test.client.channel('room:a').publish('chat', 1));
    await (await test.reconnect()).open();
    await test.socket.end(4503);
    expect(inFlight.error).toMatchObject({ closeCode: 4503 });
    expect(waiting.error).toMatchObject({ closeCode: 4503 });
    await expect(test.client.request('ask')).rejects.toMatchObject({ closeCode: 4503 });
    void test.client.connect();
    await test.platform.advance(0);
    await test.socket.welcome();
    expect(test.socket.sent).toEqual([]);
    const again = outcome(test.client.request('ask'));
    await test.platform.advance(0);
    await acknowledge(test, 'ask');
    expect(again.settled).toBe(1);
  });

  it('everything is rejected when the client is closed', async () => {
    const test = await connected();
    const inFlight = outcome(test.client.request('ask'));
    await test.platform.advance(0);
    test.client.close();
    await test.platform.advance(0);
    expect(inFlight).toMatchObject({ settled: 1, error: { wasSent: true } });
    expect(test.platform.pendingTimers).toBe(0);
  });
});

describe('a publication on a channel that is being subscribed', () => {
  it('waits for the answer, and does not keep others waiting', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    void room.subscribe();
    const publishing = outcome(room.publish('chat', 1));
    void test.client.channel('room:b').publish('chat', 2).catch(() => undefined);
    await test.platform.advance(0);
    expect(test.socket.sent.map(({ type, channel }) => [type, channel])).toEqual([
      ['subscribe', 'room:a'],
      ['chat', 'room:b'],
    ]);
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    expect(test.socket.sent.at(-1)).toMatchObject({ type: 'chat', channel: 'room:a' });
    await acknowledge(test, 'chat');
    expect(publishing.settled).toBe(1);
  });

  it('is sent after a reconnection when the subscription is back', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    void room.subscribe();
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    await test.socket.end();
    void room.publish('chat', 1).catch(() => undefined);
    await (await test.reconnect()).welcome();
    expect(test.socket.sent.map(({ type }) => type)).toEqual(['subscribe']);
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    expect(test.socket.sent.map(({ type }) => type)).toEqual(['subscribe', 'chat']);
    test.client.close();
  });

  it('is sent, and left to the server, when the subscription is refused or given up', async () => {
    const test = await connected();
    const refused = test.client.channel('room:a');
    refused.subscribe().catch(() => undefined);
    void refused.publish('chat', 1).catch(() => undefined);
    const given = test.client.channel('room:b');
    given.subscribe().catch(() => undefined);
    void given.publish('chat', 2).catch(() => undefined);
    await test.platform.advance(0);
    const { id } = test.socket.sent[0]!;
    await test.socket.receive({ type: 'error', id, channel: 'room:a', data: { code: 'forbidden', message: '' } });
    given.unsubscribe();
    await test.platform.advance(0);
    expect(test.socket.sentOf('chat').map(({ data }) => data)).toEqual([1, 2]);
    test.client.close();
  });
});

describe('the server’s history and presence', () => {
  it('are read through the channel', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    const history = room.history({ limit: 2, after: 'c1', reverse: true });
    const presence = room.fetchPresence();
    await test.platform.advance(0);
    const [first, second] = test.socket.sent;
    expect(first).toMatchObject({ type: 'history', channel: 'room:a', data: { limit: 2, after: 'c1', reverse: true } });
    expect(second).toMatchObject({ type: 'presence', channel: 'room:a' });
    const page = { publications: [], cursor: 'c1', complete: true };
    const members = { members: [], count: 0, users: 0 };
    await test.socket.receive({ type: 'history', id: first!.id, data: page }, { type: 'presence', id: second!.id, data: members });
    await expect(history).resolves.toEqual(page);
    await expect(presence).resolves.toEqual(members);
  });
});
