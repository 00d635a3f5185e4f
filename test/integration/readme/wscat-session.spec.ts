import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import {
  apiKeys,
  BearerTokenGuard,
  ChannelParam,
  ConnectedUser,
  OnSubscribe,
  type RealtimeUser,
  SubscribeChannel,
} from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { TestClient, type TestFrame } from '../../support/test-client';

const README = readFileSync(join(__dirname, '../../../README.md'), 'utf8');
const SESSION = /```wscat\n([\s\S]*?)```/.exec(README)![1]!.trim().split('\n');

@Injectable()
class RoomChannel {
  @OnSubscribe('room:{name}')
  join(@ChannelParam('name') name: string, @ConnectedUser() user: RealtimeUser) {
    return { welcome: `${user.id}, this is ${name}` };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: { text: string }, @ConnectedUser() user: RealtimeUser) {
    return { ...body, author: user.id };
  }
}

/** Replaces what differs from run to run: where the README has an ellipsis. */
function blur(frame: unknown, like: unknown): unknown {
  if (like === '…') return typeof frame === 'string' && frame !== '' ? '…' : frame;
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return frame;
  if (typeof like !== 'object' || like === null) return frame;
  return Object.fromEntries(Object.entries(frame).map(([key, value]) => [key, blur(value, Reflect.get(like, key))]));
}

describe('the session in the README', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await createApp({
      providers: [RoomChannel],
      realtime: {
        path: '/ws',
        guards: [BearerTokenGuard],
        auth: { authenticator: apiKeys({ 'secret-key-1': 'alice', 'secret-key-2': 'bob' }) },
        channels: { 'room:{name}': { history: { size: 100, ttl: '10m' }, presence: true } },
      },
    });
  });
  afterAll(() => app.close());

  it('goes as it is written there', async () => {
    const headers = { authorization: 'Bearer secret-key-1' };
    const client = await TestClient.connect(`${app.url}/ws`, { headers, greeted: false });
    expect(SESSION.length).toBeGreaterThan(5);
    for (const line of SESSION) {
      const message = JSON.parse(line.slice(2)) as TestFrame;
      if (line.startsWith('> ')) {
        client.send(message);
        continue;
      }
      const frame = await client.take(() => true, line);
      expect(blur(frame, message)).toEqual(message);
    }
    await client.close();
  });
});
