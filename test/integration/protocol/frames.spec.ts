import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage } from 'nestjs-realtime';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Handlers {
  @OnMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('CHECKLIST 19: frames on the wire', () => {
  const createApp = testApps();

  it('hold exactly one JSON document each, under a burst of publications, replies and broadcasts', async () => {
    const app = await createApp({ providers: [Handlers], realtime: { channels: { '*': {}, 'kept': { history: { size: 10, ttl: '1m' } } } } });
    const client = await RawWebSocket.open(app.port);
    client.send({ type: 'subscribe', channel: 'plain' }, { type: 'subscribe', channel: 'kept' });
    await waitFor('both', () => client.messages.filter(({ type }) => type === 'subscribed').length === 2);

    client.send(...numbers(200).map((id) => ({ type: 'echo', id, data: `line\n${id}` })));
    const calls = numbers(300).flatMap((n) => [
      app.hub.publish('plain', { n, text: 'x'.repeat(n) }, { type: 'plain' }),
      app.hub.publish('kept', { n, text: 'x'.repeat(n * 10) }, { type: 'kept' }),
      app.hub.broadcast('all', n),
    ]);
    await Promise.all(calls);
    await waitFor('all of it', () => client.messages.length === 3 + 200 + 900);

    for (const frame of client.frames) {
      expect(frame).toMatchObject({ fin: true, opcode: OPCODE.text });
      const text = frame.payload.toString('utf8');
      // What JSON.parse accepts is one document, and no line break parts it from another.
      expect(() => JSON.parse(text) as unknown).not.toThrow();
      expect(text).toMatch(/^\{.*\}$/);
    }
    for (const type of ['plain', 'kept', 'all']) {
      const received = client.messages.filter((message) => message.type === type);
      expect(received.map(({ data }) => data.n ?? data)).toEqual(numbers(300));
    }
    expect(new Set(client.messages.filter(({ type }) => type === 'ack').map(({ id }) => id)).size).toBe(200);
    client.destroy();
  });

  it.each([0, 1, 50, 60, 61, 62, 63, 64, 65, 120, 65_000, 65_400, 65_500, 65_600, 70_000, 1_000_000])(
    'are whole around a payload of %i characters',
    async (length) => {
      const app = await createApp({ realtime: { channels: { '*': {} } } });
      const client = await RawWebSocket.open(app.port);
      client.send({ type: 'subscribe', channel: 'a' });
      await client.message('subscribed');
      for (const n of [0, 1, 2]) await app.hub.publish('a', 'x'.repeat(length + n));
      await waitFor('three', () => client.messages.filter(({ type }) => type === 'message').length === 3);
      expect(client.messages.slice(-3).map(({ data }) => data.length)).toEqual([length, length + 1, length + 2]);
      client.destroy();
    },
  );

  it('are text: what is not ASCII arrives as UTF-8', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await RawWebSocket.open(app.port);
    client.send({ type: 'subscribe', channel: 'a' });
    await client.message('subscribed');
    await app.hub.publish('a', 'ü\u{1F600}\u2028');
    expect((await client.message('message')).data).toBe('ü\u{1F600}\u2028');
    client.destroy();
  });

  it('a native ping of the client is answered with its payload, whatever else is going on', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await RawWebSocket.open(app.port);
    client.send({ type: 'subscribe', channel: 'a' });
    await client.message('subscribed');
    client.write(OPCODE.ping, 'payload');
    for (const n of numbers(50)) await app.hub.publish('a', n);
    const pong = await waitFor('the pong', () => client.frames.find(({ opcode }) => opcode === OPCODE.pong));
    expect(pong.payload.toString()).toBe('payload');
    expect(client.messages.filter(({ type }) => type === 'message').map(({ data }) => data)).toEqual(numbers(50));
    client.destroy();
  });

  it('a close frame of the client is answered with its code', async () => {
    const app = await createApp();
    const client = await RawWebSocket.open(app.port);
    await client.message('connected');
    client.write(OPCODE.close, Buffer.from([0x0f, 0xa0]));
    expect(await client.closeCode()).toBe(4000);
    await client.raw.closed;
    expect(app.hub.stats().clients).toBe(0);
  });
});
