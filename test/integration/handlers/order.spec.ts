import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { Channel, OnMessage, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { deferred, waitFor } from '../../support/wait-for';
import { PLATFORMS } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.each(PLATFORMS)('the order of handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  it.each([
    ['without history', {}],
    ['with history', { history: { size: 1000, ttl: '1m' } }],
  ])('publications on a channel %s keep theirs, however long each handler takes', async (_, channel) => {
    @Injectable()
    class Rooms {
      @SubscribeChannel('room:{name}')
      async say(@MessageBody() n: number): Promise<number> {
        await delay(Math.random() * 3);
        return n;
      }
    }
    const app = await createApp({ providers: [Rooms], realtime: { channels: { 'room:{name}': channel } } });
    const [one, two] = await Promise.all([TestClient.connect(`${app.url}/ws`), TestClient.connect(`${app.url}/ws`)]);
    for (const room of ['room:a', 'room:b']) await Promise.all([one.subscribe(room), two.subscribe(room)]);
    for (const n of numbers(100)) {
      one.send({ type: 'n', channel: 'room:a', data: n });
      one.send({ type: 'n', channel: 'room:b', data: n });
    }
    for (const client of [one, two]) {
      for (const room of ['room:a', 'room:b']) {
        const received = (): number[] => client.frames.filter((frame) => frame.channel === room && frame.type === 'n').map(({ data }) => data);
        await waitFor('all publications', () => received().length === 100);
        expect(received()).toEqual(numbers(100));
      }
    }
  });

  it('the acks of one channel come in order too', async () => {
    @Injectable()
    class Rooms {
      @SubscribeChannel('room', { requireSubscription: false })
      async say(@MessageBody() n: number): Promise<number> {
        await delay(Math.random() * 3);
        return n;
      }
    }
    const app = await createApp({ providers: [Rooms] });
    const client = await TestClient.connect(`${app.url}/ws`);
    await Promise.all(numbers(50).map((n) => client.request({ type: 'n', channel: 'room', data: n })));
    expect(client.ofType('ack').map(({ id }) => id)).toEqual(numbers(50).map((n) => `t${n + 1}`));
  });

  it('a slow channel holds up neither another one nor a request nor a ping', async () => {
    const open = deferred();
    @Injectable()
    class Handlers {
      @SubscribeChannel('*', { requireSubscription: false })
      async say(@Channel() channel: string): Promise<string> {
        if (channel === 'slow') await open.promise;
        return channel;
      }
      @OnMessage('ask')
      ask(): string {
        return 'answer';
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const slow = client.request({ type: 'x', channel: 'slow' });
    expect(await client.request({ type: 'x', channel: 'fast' })).toMatchObject({ type: 'ack' });
    expect(await client.request({ type: 'ask' })).toMatchObject({ data: 'answer' });
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    expect(client.ofType('ack')).toHaveLength(2);
    open.resolve();
    expect(await slow).toMatchObject({ type: 'ack', channel: 'slow' });
  });

  it('what is sent behind a subscription waits for it, and unsubscribing for both', async () => {
    const open = deferred();
    @Injectable()
    class Handlers {
      @OnSubscribe('room')
      join(): Promise<void> {
        return open.promise;
      }
      @SubscribeChannel('room')
      say(@MessageBody() body: string): string {
        return body;
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    client.send({ type: 'subscribe', channel: 'room', id: 1 });
    client.send({ type: 'chat', channel: 'room', id: 2, data: 'hi' });
    client.send({ type: 'unsubscribe', channel: 'room', id: 3 });
    client.send({ type: 'chat', channel: 'room', id: 4, data: 'late' });
    await client.settled();
    expect(client.frames.filter(({ type }) => type !== 'pong')).toEqual([]);
    open.resolve();
    await client.take(({ id }) => id === 4);
    const types = client.frames.filter(({ type }) => type !== 'pong').map(({ type, id }) => `${type} ${id ?? ''}`);
    expect(types).toEqual(['subscribed 1', 'chat ', 'ack 2', 'unsubscribed 3']);
  });
});
