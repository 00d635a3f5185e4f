import { PLATFORMS } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const channels = { 'news:{name}': {}, 'kept:{name}': { history: { size: 100, ttl: '1m' } } };

describe.each(PLATFORMS)('an event stream, over %s', (platform) => {
  const start = testApps();

  it('greets, subscribes, and carries publications in the envelope of WebSockets', async () => {
    const { port, hub, url } = await start({ platform, realtime: { channels } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=news:a&channel=kept:b`);
    const socket = await TestClient.connect(`${url}/ws`);
    await stream.event(({ channel, type }) => type === 'subscribed' && channel === 'kept:b');
    await stream.event(({ channel, type }) => type === 'subscribed' && channel === 'news:a');
    await socket.subscribe('news:a');
    await hub.publish('news:a', { text: 'one\ntwo\r\nthree' }, { type: 'item' });
    const frame = await stream.next('item');
    expect(frame).toEqual(await socket.next('item'));
    expect(frame).toMatchObject({ channel: 'news:a', data: { text: 'one\ntwo\r\nthree' } });
    expect(stream.frames[0]).toMatchObject({ type: 'connected', data: { user: null, channels: ['news:a', 'kept:b'] } });
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    });
    expect(stream.text).not.toContain('event:');
    await socket.close();
    stream.close();
    await waitFor('the stream to be forgotten', () => hub.stats().clients === 0);
  });
});
