import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { TestClient } from '../../support/test-client';

@Injectable()
class Rooms {
  @OnSubscribe('room:{name}')
  join(): string {
    return 'hello';
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }

  @OnMessage('ask')
  ask(): string {
    return 'answer';
  }
}

describe.each(PLATFORMS)('rooms, over %s', (platform) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await createApp({ platform, providers: [Rooms] });
  });
  afterAll(() => app.close());

  it('CHECKLIST 29: what is said in one is not heard in another', async () => {
    const [a1, a2, b] = await Promise.all(['a', 'a', 'b'].map((room) => TestClient.connect(`${app.url}/ws/${room}`)));
    expect(await a1!.request({ type: 'chat', data: 'in a' })).toMatchObject({ type: 'ack', channel: 'room:a' });
    expect(await b!.request({ type: 'chat', data: 'in b' })).toMatchObject({ type: 'ack', channel: 'room:b' });
    expect((await a2!.next('chat')).data).toBe('in a');
    expect((await b!.next('chat')).data).toBe('in b');
    for (const client of [a1!, a2!, b!]) {
      await client.settled();
      expect(client.ofType('chat').filter(({ data }) => data !== 'in a')).toEqual([]);
    }
    await Promise.all([a1, a2, b].map((client) => client!.close()));
  });

  it('CHECKLIST 47 (B: WebSocket message send and receive flow, multi-client broadcast): all in a room get it', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(`${app.url}/ws/many`)));
    await clients[0]!.request({ type: 'chat', data: { content: 'Hello!' } });
    const frames = await Promise.all(clients.map((client) => client.next('chat')));
    for (const frame of frames) expect(frame).toEqual({ ...frames[0], data: { content: 'Hello!' }, channel: 'room:many' });
    await Promise.all(clients.map((client) => client.close()));
  });

  it('the room of the path is where a message without a channel belongs, whatever its type', async () => {
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    expect(await client.request({ type: 'ask', data: 1 })).toMatchObject({ type: 'ack', channel: 'room:lobby' });
    expect(await client.next('ask')).toMatchObject({ channel: 'room:lobby', data: 1 });
    await client.close();
  });

  it('another channel can be named all the same', async () => {
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    await client.subscribe('room:other');
    expect(await client.request({ type: 'chat', channel: 'room:other', data: 1 })).toMatchObject({ type: 'ack', channel: 'room:other' });
    await client.close();
  });

  it('who has left the room of the path cannot speak in it any more', async () => {
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    await client.request({ type: 'unsubscribe', channel: 'room:lobby' });
    expect(await client.request({ type: 'chat', data: 1 })).toMatchObject({ data: { code: 'not_subscribed' } });
    await client.close();
  });

  it('the room’s subscribed frame follows the greeting, with what its handler returned', async () => {
    const client = await TestClient.connect(`${app.url}/ws/lobby`, { greeted: false });
    expect((await client.take(() => true)).type).toBe('connected');
    expect(await client.take(() => true)).toEqual({
      type: 'subscribed',
      channel: 'room:lobby',
      data: 'hello',
      recoverable: false,
      timestamp: expect.any(String),
    });
    await client.close();
  });

  it('with ?room= a message without a channel is a request', async () => {
    const client = await TestClient.connect(`${app.url}/ws?room=lobby`);
    expect((await client.request({ type: 'ask' })).data).toBe('answer');
    expect((await client.request({ type: 'chat', data: 1 })).data.code).toBe('unknown_type');
    await client.close();
  });

  it('CHECKLIST 29: what the server broadcasts has no room and reaches every one', async () => {
    const clients = await Promise.all(['a', 'b'].map((room) => TestClient.connect(`${app.url}/ws/${room}`)));
    await app.hub.broadcast('news', 1);
    for (const client of clients) {
      const frame = await client.next('news');
      expect(frame).toEqual({ type: 'news', data: 1, timestamp: expect.any(String) });
      await client.close();
    }
  });
});
