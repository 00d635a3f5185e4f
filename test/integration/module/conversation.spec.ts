import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { ConnectedUser, ChannelParam, OnSubscribe, SubscribeChannel, apiKeys } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { refusal, TestClient } from '../../support/test-client';

@Injectable()
class RoomChannel {
  @OnSubscribe('room:{name}')
  join(@ChannelParam('name') name: string) {
    return { welcome: name };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: { text: string }, @ConnectedUser() user: { id: string }) {
    return { ...body, author: user?.id };
  }
}

describe.each(PLATFORMS)('a conversation over %s', (platform) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await createApp({
      platform,
      providers: [RoomChannel],
      realtime: {
        auth: { authenticator: apiKeys({ 'key-a': 'alice', 'key-b': 'bob' }) },
        channels: { 'room:{name}': { history: { size: 10, ttl: '1m' }, presence: true } },
      },
    });
  });
  afterAll(() => app.close());

  it('reaches everyone in the room', async () => {
    const alice = await TestClient.connect(`${app.url}/ws`, { headers: { authorization: 'Bearer key-a' } });
    const bob = await TestClient.connect(`${app.url}/ws/lobby`, { headers: { authorization: 'Bearer key-b' } });
    const joined = await alice.subscribe('room:lobby');
    expect(joined.data).toEqual({ welcome: 'lobby' });
    const ack = await bob.request({ type: 'chat', data: { text: 'hi' } });
    expect(ack).toMatchObject({ type: 'ack', channel: 'room:lobby' });
    expect(await alice.next('chat')).toMatchObject({ data: { text: 'hi', author: 'bob' }, from: 'bob', cursor: ack.cursor });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect((await refusal(`${app.url}/nowhere`)).status).toBe(404);
    await alice.close();
  });
});
