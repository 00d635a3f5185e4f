import type { Handler } from '../../../lib/channels/handler';
import { HandlerRegistry } from '../../../lib/channels/handler-registry';
import { MessageCommands } from '../../../lib/channels/message-commands';
import type { HubCore } from '../../../lib/hub/hub-core';
import { connect, type RecordingConnection, startHub } from '../hub/hub-kit';

describe('MessageCommands', () => {
  let hub: HubCore;
  let commands: MessageCommands;
  let [author, reader]: RecordingConnection[] = [];
  let received: unknown[];

  beforeEach(async () => {
    hub = await startHub();
    const handlers = new HandlerRegistry();
    received = [];
    const say: Handler = {
      name: 'RoomChannel.say',
      pattern: 'room:{name}',
      options: {},
      invoke: async ([, data]) => {
        received.push(data);
        return data;
      },
    };
    handlers.add('publish', say);
    handlers.add('message', { ...say, name: 'Calculator.double', pattern: 'double', invoke: async ([, data]) => Number(data) * 2 });
    commands = new MessageCommands(hub, handlers);
    [author, reader] = [connect(hub, { id: 'author', user: { id: 'alice', claims: {} } }), connect(hub, { id: 'reader' })];
    for (const connection of [author, reader]) await hub.subscribe(connection, 'room:a', {});
  });

  it('publishes what the handler returns, in the name of the client', async () => {
    await commands.publish(author!, { type: 'chat', channel: 'room:a', data: 'hi', id: 1 });
    expect(reader!.messages[1]).toMatchObject({ type: 'chat', channel: 'room:a', data: 'hi', from: 'alice' });
    expect(author!.messages.at(-1)).toMatchObject({ type: 'ack', id: 1, channel: 'room:a' });
  });

  it('publishes once under an idempotency key, and acknowledges both times', async () => {
    for (const id of [1, 2]) await commands.publish(author!, { type: 'chat', channel: 'room:a', data: 'hi', id, idempotencyKey: 'k' });
    expect(received).toEqual(['hi']);
    expect(author!.types).toEqual(['subscribed', 'chat', 'ack', 'ack']);
  });

  it('takes the same key of another user for another', async () => {
    for (const connection of [author!, reader!]) {
      await commands.publish(connection, { type: 'chat', channel: 'room:a', data: connection.id, idempotencyKey: 'k' });
    }
    expect(received).toEqual(['author', 'reader']);
  });

  it('knows a key again that comes from a new connection of a client without a user', async () => {
    const returned = connect(hub, { id: 'returned' });
    await hub.subscribe(returned, 'room:a', {});
    for (const connection of [reader!, returned]) {
      await commands.publish(connection, { type: 'chat', channel: 'room:a', data: connection.id, idempotencyKey: 'k' });
    }
    expect(received).toEqual(['reader']);
  });

  it('tells keys apart where an id holds a line break', async () => {
    const odd = ['a', 'a\nb'].map((id, index) => connect(hub, { id: `odd${index}`, user: { id, claims: {} } }));
    for (const connection of odd) await hub.subscribe(connection, 'room:a', {});
    await commands.publish(odd[0]!, { type: 'chat', channel: 'room:a', data: 1, idempotencyKey: 'b\nk' });
    await commands.publish(odd[1]!, { type: 'chat', channel: 'room:a', data: 2, idempotencyKey: 'k' });
    expect(received).toEqual([1, 2]);
  });

  it.each([
    'connected', 'subscribed', 'unsubscribed', 'ack', 'pong', 'error', 'join', 'leave', 'reset', 'draining', 'refreshed',
  ])('lets no client speak as the server: %s', async (type) => {
    const attempt = commands.publish(author!, { type, channel: 'room:a', data: { connectionId: 'reader' }, id: 1 });
    await expect(attempt).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining(JSON.stringify(type)) });
    expect(received).toEqual([]);
    expect(reader!.types).toEqual(['subscribed']);
  });

  it('refuses a channel that has no handler, and one that the client is not subscribed to', async () => {
    await expect(commands.publish(author!, { type: 'chat', channel: 'other', data: 1 })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(commands.publish(author!, { type: 'chat', channel: 'room:b', data: 1 })).rejects.toMatchObject({ code: 'not_subscribed' });
    expect(received).toEqual([]);
  });

  it('answers a request with what the handler returns', async () => {
    await commands.request(author!, { type: 'double', data: 21, id: 'x' });
    expect(author!.messages.at(-1)).toMatchObject({ type: 'ack', id: 'x', data: 42 });
    await expect(commands.request(author!, { type: 'nobody' })).rejects.toMatchObject({ code: 'unknown_type' });
  });
});
