import { Injectable } from '@nestjs/common';
import { SubscribeChannel } from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { TestClient } from '../../support/test-client';

@Injectable()
class RoomChannel {
  @SubscribeChannel('room:{name}')
  say(): never {
    throw new Error('never said');
  }
}

describe('a refusal', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('for the rate names the command that it refuses', async () => {
    app = await createApp({ realtime: { channels: { '*': {} }, limits: { messagesPerSecond: 3 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (let id = 1; id <= 5; id++) client.send({ type: 'subscribe', id, channel: `room:${id}` });
    const error = await client.take((frame) => frame.type === 'error');
    expect(error).toMatchObject({ id: 4, channel: 'room:4', data: { code: 'rate_limited' } });
  });

  it('of a publication in the room of the path names the room', async () => {
    const logger = new RecordingLogger();
    app = await createApp({ providers: [RoomChannel], prepare: (made) => made.useLogger(logger) });
    const client = await TestClient.connect(`${app.url}/ws/lobby`);
    expect(await client.request({ type: 'chat', data: 1 })).toMatchObject({
      type: 'error',
      channel: 'room:lobby',
      data: { code: 'internal' },
    });
    expect(logger.text).toContain('never said');
  });
});
