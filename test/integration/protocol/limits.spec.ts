import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, OnSubscribe, SubscriptionLimitError } from 'nestjs-realtime';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

@Injectable()
class Handlers {
  calls = 0;

  @OnMessage('echo')
  echo(@MessageBody() body: string): number {
    this.calls++;
    return body.length;
  }
}

/** An `echo` request of so many bytes altogether. */
function echoOf(bytes: number, character = 'x'): string {
  const empty = Buffer.byteLength(JSON.stringify({ type: 'echo', id: 1, data: '' }));
  return JSON.stringify({ type: 'echo', id: 1, data: character.repeat((bytes - empty) / Buffer.byteLength(character)) });
}

describe('CHECKLIST 21: the size of a message', () => {
  const createApp = testApps();

  it.each(['x', 'é'])('65,536 bytes of %s are taken', async (character) => {
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const message = echoOf(character === 'x' ? 65_536 : 65_535, character);
    client.send(message);
    expect((await client.next('ack')).data).toBe((JSON.parse(message) as { data: string }).data.length);
  });

  it('65,537 bytes close the connection with 1009, and nobody else’s', async () => {
    const app = await createApp({ providers: [Handlers] });
    const [client, other] = await Promise.all([TestClient.connect(`${app.url}/ws`), TestClient.connect(`${app.url}/ws`)]);
    client.send(echoOf(65_537));
    expect((await client.closed).code).toBe(1009);
    expect(app.app.get(Handlers).calls).toBe(0);
    await waitFor('one client', () => app.hub.stats().clients === 1);
    expect(await other.request({ type: 'echo', data: 'x' })).toMatchObject({ data: 1 });
  });

  it('is that of the whole message, in however many fragments', async () => {
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const message = echoOf(65_536);
    client.socket.send(message.slice(0, 40_000), { fin: false });
    client.socket.send(message.slice(40_000), { fin: true });
    expect(await client.next('ack')).toMatchObject({ id: 1 });
    const long = echoOf(65_537);
    client.socket.send(long.slice(0, 40_000), { fin: false });
    client.socket.send(long.slice(40_000), { fin: true });
    expect((await client.closed).code).toBe(1009);
  });

  it('is limits.maxMessageBytes', async () => {
    const app = await createApp({ providers: [Handlers], realtime: { limits: { maxMessageBytes: 100 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    client.send(echoOf(100));
    expect(await client.next('ack')).toMatchObject({ id: 1 });
    client.send(echoOf(101));
    expect((await client.closed).code).toBe(1009);
  });

  it('nothing follows the close frame, though there would be something to say', async () => {
    const app = await createApp({ realtime: { limits: { maxMessageBytes: 100 } } });
    const client = await RawWebSocket.open(app.port);
    await client.message('connected');
    client.write(OPCODE.text, 'x'.repeat(101));
    expect(await client.closeCode()).toBe(1009);
    await app.hub.broadcast('news', 1);
    const other = await TestClient.connect(`${app.url}/ws`);
    await app.hub.broadcast('news', 2);
    await other.next('news');
    expect(client.frames.at(-1)!.opcode).toBe(OPCODE.close);
    client.destroy();
  });

  it('has no bearing on what the server sends', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} }, limits: { maxMessageBytes: 1000 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('room');
    await app.hub.publish('room', 'x'.repeat(500_000));
    expect((await client.next('message')).data).toHaveLength(500_000);
  });
});

describe('CHECKLIST 27: the number of subscriptions, and the length of names', () => {
  const createApp = testApps();

  it('is 1,024; the 1,025th is limit_exceeded until one is given up', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const replies = await Promise.all(
      Array.from({ length: 1025 }, (_, i) => client.request({ type: 'subscribe', channel: `c${i}` })),
    );
    const refused = replies.filter(({ type }) => type === 'error');
    expect(refused).toMatchObject([{ data: { code: 'limit_exceeded' } }]);
    expect(app.hub.stats()).toMatchObject({ channels: 1024, subscribers: 1024 });

    expect(await client.request({ type: 'subscribe', channel: 'c0' })).toMatchObject({ type: 'subscribed' });
    const connection = { connectionId: app.hub.connections()[0]!.id };
    await expect(app.hub.subscribe(connection, 'more')).rejects.toBeInstanceOf(SubscriptionLimitError);
    await client.request({ type: 'unsubscribe', channel: 'c0' });
    expect(await client.request({ type: 'subscribe', channel: 'c1024' })).toMatchObject({ type: 'subscribed' });
  });

  it('limits.channelNameLength bounds the names', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} }, limits: { channelNameLength: 10 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('x'.repeat(10));
    const refused = await client.request({ type: 'subscribe', channel: 'x'.repeat(11) });
    expect(refused.data).toMatchObject({ code: 'invalid_channel', message: expect.stringContaining('1 to 10') });
    await expect(app.hub.publish('x'.repeat(11), 1)).rejects.toMatchObject({ name: 'InvalidChannelError' });
  });

  it('is kept where handlers take their time, and their veto takes no place', async () => {
    const open = deferred();
    @Injectable()
    class Slow {
      @OnSubscribe('{name}')
      join(): Promise<void> {
        return open.promise;
      }
    }
    const app = await createApp({ providers: [Slow], realtime: { limits: { subscriptionsPerConnection: 3 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const replies = Promise.all([1, 2, 3, 4, 5].map((n) => client.request({ type: 'subscribe', channel: `c${n}` })));
    open.resolve();
    expect((await replies).filter(({ type }) => type === 'subscribed')).toHaveLength(3);
    expect(app.hub.stats().subscribers).toBe(3);
  });
});

describe('limits.messagesPerSecond', () => {
  const createApp = testApps();

  it('is off by default', async () => {
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const replies = await Promise.all(Array.from({ length: 2000 }, () => client.request({ type: 'ping' })));
    expect(replies.every(({ type }) => type === 'pong')).toBe(true);
  });

  it('refuses what is beyond it with rate_limited, and lets the patient go on', async () => {
    const app = await createApp({ providers: [Handlers], realtime: { limits: { messagesPerSecond: 20 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (let i = 0; i < 30; i++) client.send({ type: 'echo', data: 'x', id: i });
    await client.next('error');
    const answered = (): number => client.frames.filter(({ type }) => type === 'ack' || type === 'error').length;
    await waitFor('all answers', () => answered() === 29);
    expect(client.ofType('error').every(({ data }) => data.code === 'rate_limited')).toBe(true);
    expect(client.ofType('ack').length).toBeGreaterThanOrEqual(20);
    expect(app.app.get(Handlers).calls).toBe(client.ofType('ack').length);
    // The bucket fills again.
    await waitFor('a reply', async () => {
      client.frames.length = 0;
      client.send({ type: 'echo', data: 'x' , id: 'again' });
      return (await client.take(({ type }) => type === 'ack' || type === 'error')).type === 'ack';
    });
  });

  it('ends the connection of a client that floods with 4029, and leaves others alone', async () => {
    const app = await createApp({ providers: [Handlers], realtime: { limits: { messagesPerSecond: 10 } } });
    const [client, other] = await Promise.all([TestClient.connect(`${app.url}/ws`), TestClient.connect(`${app.url}/ws`)]);
    for (let i = 0; i < 500; i++) client.send(i % 2 === 0 ? { type: 'echo', data: 'x' } : 'no JSON');
    expect((await client.closed).code).toBe(4029);
    expect(app.app.get(Handlers).calls).toBeLessThan(50);
    expect(await other.request({ type: 'echo', data: 'x' })).toMatchObject({ data: 1 });
    expect(app.hub.stats().clients).toBe(1);
  });

  it('counts pings, binary frames and malformed ones', async () => {
    const app = await createApp({ realtime: { limits: { messagesPerSecond: 10 } } });
    for (const message of ['{"type":"ping"}', Buffer.from('binary'), '{']) {
      const client = await TestClient.connect(`${app.url}/ws`);
      for (let i = 0; i < 200; i++) client.socket.send(message);
      expect((await client.closed).code).toBe(4029);
    }
  });
});
