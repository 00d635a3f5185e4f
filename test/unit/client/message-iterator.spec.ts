import type { Channel } from '../../../lib/client';
import { type TestClient, connected } from './support/client';
import { settle } from './support/fake-platform';

async function subscribed(options = {}): Promise<{ test: TestClient; room: Channel; publish(...n: number[]): Promise<void> }> {
  const test = await connected(options);
  const room = test.client.channel('room:a');
  room.subscribe().catch(() => undefined);
  await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
  const publish = (...values: number[]): Promise<void> =>
    test.socket.receive(...values.map((data) => ({ type: 'news', channel: 'room:a', data, from: 'ann' })));
  return { test, room, publish };
}

/** Reads a channel to its end, into a list that can be looked at meanwhile. */
function reading(messages: AsyncIterable<unknown>): { values: unknown[]; end?: 'done' | Error } {
  const result: { values: unknown[]; end?: 'done' | Error } = { values: [] };
  const read = async (): Promise<void> => {
    for await (const message of messages) result.values.push(message);
  };
  read().then(
    () => (result.end = 'done'),
    (error: Error) => (result.end = error),
  );
  return result;
}

describe('iterating a channel', () => {
  it('gives the data of each message, once to each loop', async () => {
    const { room, publish } = await subscribed();
    const first = reading(room);
    await publish(1);
    const second = reading(room);
    await publish(2, 3);
    expect(first.values).toEqual([1, 2, 3]);
    expect(second.values).toEqual([2, 3]);
  });

  it('by messages() gives their type and context too', async () => {
    const { room, publish } = await subscribed();
    const all = reading(room.messages());
    await publish(1);
    expect(all.values).toEqual([{ type: 'news', data: 1, from: 'ann' }]);
  });

  it('keeps what arrives before the loop asks for it', async () => {
    const { room, publish } = await subscribed();
    const messages = room[Symbol.asyncIterator]();
    await publish(1, 2);
    await expect(messages.next()).resolves.toEqual({ value: 1, done: false });
    await expect(messages.next()).resolves.toEqual({ value: 2, done: false });
  });

  it('goes on over reconnections', async () => {
    const { test, room, publish } = await subscribed();
    const all = reading(room);
    await publish(1);
    await test.socket.end();
    await (await test.reconnect()).welcome();
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    await publish(2);
    expect(all).toEqual({ values: [1, 2] });
  });

  it('throws when the loop is too slow, after what was kept: nothing is left out in silence', async () => {
    const { room, publish } = await subscribed({ iteratorBuffer: 2 });
    const messages = room[Symbol.asyncIterator]();
    await publish(1, 2, 3, 4);
    const all = reading(messages);
    await settle();
    expect(all.values).toEqual([1, 2]);
    expect(all.end).toMatchObject({ code: 'limit_exceeded', option: 'iteratorBuffer', limit: 2 });
    await expect(messages.next()).resolves.toEqual({ value: undefined, done: true });
  });

  it('ends with the subscription and with the client', async () => {
    const { test, room } = await subscribed();
    const first = reading(room);
    room.unsubscribe();
    await settle();
    expect(first.end).toBe('done');
    const second = reading(room);
    test.client.close();
    await settle();
    expect(second.end).toBe('done');
  });

  it('throws what ended the subscription or stopped the client', async () => {
    const { test, room } = await subscribed();
    const first = reading(room);
    await test.socket.receive({ type: 'unsubscribed', channel: 'room:a', data: { code: 4503, reason: 'moderated' } });
    expect(first.end).toMatchObject({ code: 'forbidden', message: 'moderated' });
    const second = reading(room);
    await test.socket.end(4509);
    expect(second.end).toMatchObject({ closeCode: 4509 });
  });

  it('lets go of the channel and of what it kept when the loop is left', async () => {
    const { room, publish } = await subscribed({ iteratorBuffer: 2 });
    const left: unknown[] = [];
    const messages = room[Symbol.asyncIterator]();
    await publish(1, 2);
    for await (const message of messages) {
      left.push(message);
      break;
    }
    await publish(3, 4, 5, 6);
    expect(left).toEqual([1]);
    await expect(messages.next()).resolves.toEqual({ value: undefined, done: true });
  });

  it('answers several next() at a time in their order, and all of them at the end', async () => {
    const { room, publish } = await subscribed();
    const messages = room[Symbol.asyncIterator]();
    const all = Promise.all([messages.next(), messages.next(), messages.next()]);
    await publish(1, 2);
    await messages.return?.();
    await expect(all).resolves.toEqual([
      { value: 1, done: false },
      { value: 2, done: false },
      { value: undefined, done: true },
    ]);
  });
});
