import type { CanActivate } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { apiKeys, QueryTokenGuard } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const channels = { 'news:{name}': {}, 'kept:{name}': { history: { size: 100, ttl: '1m' } } };

const asAlice: CanActivate = {
  canActivate: (context) => {
    context.switchToHttp().getRequest<IncomingMessage & { user: unknown }>().user = { id: 'alice' };
    return true;
  },
};

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

  it('carries direct messages and broadcasts, and what a custom subscriber beside it gets', async () => {
    const { port, hub, url } = await start({ platform, realtime: { channels, guards: [asAlice] } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=news:a`);
    await stream.next('subscribed');
    const socket = await TestClient.connect(`${url}/ws`);
    const lines: string[] = [];
    const id = hub.register({ send: ({ text }) => lines.push(text) > 0, close: () => undefined });
    expect(new Set(hub.connections().map(({ transport }) => transport))).toEqual(new Set(['sse', 'websocket', 'custom']));
    await hub.sendToUser('alice', 'notice', { unread: 3 });
    await hub.broadcast('deploy', { env: 'production' });
    expect(await stream.next('notice')).toEqual(await socket.next('notice'));
    const broadcast = await stream.next('deploy');
    expect(broadcast).toEqual(await socket.next('deploy'));
    await waitFor('the custom subscriber', () => lines.length === 1);
    expect(JSON.parse(lines[0]!)).toEqual(broadcast);
    hub.unregister(id);
    await socket.close();
    stream.close();
  });

  it('is kept alive by comments, which are no events', async () => {
    const { port, hub } = await start({ platform, realtime: { channels, heartbeat: { interval: 50 } } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=news:a`);
    await waitFor('three comments', () => (stream.text.match(/^:$/gm) ?? []).length >= 3);
    await hub.publish('news:a', 1, { type: 'n' });
    await stream.next('n');
    expect(stream.frames.map(({ type }) => type)).toEqual(['connected', 'subscribed', 'n']);
    stream.close();
  });

  it('takes a token in the query where query tokens are on, joins rooms, and keeps the token to itself', async () => {
    const auth = { authenticator: apiKeys({ secret1: 'alice' }) };
    const { port, hub } = await start({ platform, realtime: { guards: [QueryTokenGuard], auth, channels: { 'room:{name}': {} } } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?token=secret1&room=lobby`);
    expect(await stream.next('connected')).toMatchObject({ data: { user: 'alice', channels: ['room:lobby'] } });
    expect(hub.connections()).toMatchObject([{ user: 'alice', channels: ['room:lobby'] }]);
    expect(stream.text).not.toContain('secret1');
    stream.close();
  });

  it('honours welcome: false and the names of the envelope', async () => {
    const { port, hub } = await start({
      platform,
      realtime: { channels, welcome: false, envelope: { type: 'event', data: 'payload' } },
    });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=news:a`);
    await stream.event((frame) => 'event' in frame && frame.event === 'subscribed');
    await hub.publish('news:a', 1, { type: 'n' });
    await waitFor('both', () => stream.frames.length === 2);
    expect(stream.frames[1]).toMatchObject({ event: 'n', payload: 1, channel: 'news:a' });
    stream.close();
  });

  it('keeps bursts in order over many streams at once', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const open = (name: string): Promise<EventStream> => EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=${name}&channel=news:b`);
    const streams = await Promise.all([open('news:a'), open('kept:a'), open('news:a'), open('kept:a')]);
    await waitFor('all channels', () => streams.every((stream) => stream.ofType('subscribed').length === 2));
    await Promise.all(Array.from({ length: 150 }, (_, n) => hub.publish('news:b', n, { type: 'n' })));
    await waitFor('all of it', () => streams.every((stream) => stream.ofType('n').length === 150));
    const expected = Array.from({ length: 150 }, (_, n) => n);
    for (const stream of streams) {
      expect(stream.ofType('n').map(({ data }) => data as number)).toEqual(expected);
      stream.close();
    }
  });
});
