import type { CanActivate } from '@nestjs/common';
import { Agent, type IncomingMessage } from 'node:http';
import { PLATFORMS } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const asUser = (expiresAt?: number): CanActivate => ({
  canActivate: (context) => {
    context.switchToHttp().getRequest<IncomingMessage & { user: unknown }>().user = { id: 'alice', expiresAt };
    return true;
  },
});
const channels = { 'room:{name}': { presence: true }, 'latest:{name}': { slowConsumer: 'latest' as const }, 'drop:{name}': { slowConsumer: 'drop' as const } };

describe.each(PLATFORMS)('how an event stream ends, over %s', (platform) => {
  const start = testApps();

  it('with the token: the last event says 4005', async () => {
    const { port } = await start({ platform, realtime: { guards: [asUser(Date.now() + 1000)] } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events`);
    await stream.ended;
    expect(stream.frames.at(-1)).toMatchObject({ type: 'disconnected', data: { code: 4005, reason: 'token expired' } });
    expect(stream.response.complete).toBe(true);
  });

  it('when the server disconnects the user', async () => {
    const { port, hub } = await start({ platform, realtime: { guards: [asUser()] } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events`);
    await stream.next('connected');
    await hub.disconnect({ userId: 'alice' }, { reason: 'moved out' });
    await stream.ended;
    expect(stream.frames.at(-1)).toMatchObject({ type: 'disconnected', data: { code: 4503, reason: 'moved out' } });
    expect(hub.stats().clients).toBe(0);
  });

  it('on shutdown: with advice for the client and for EventSource, and app.close() does not wait for it', async () => {
    const { port, app } = await start({ platform, realtime: { shutdown: { timeout: 5000 }, channels } });
    const agent = new Agent({ keepAlive: true });
    const url = `http://127.0.0.1:${port}/ws/events?channel=room:a`;
    const streams = await Promise.all([1, 2, 3].map(() => EventStream.open(url, { agent })));
    await Promise.all(streams.map((stream) => stream.next('subscribed')));
    await app.close();
    agent.destroy();
    for (const stream of streams) {
      await stream.ended;
      const { data } = await stream.next('draining');
      expect(stream.text).toContain(`retry: ${data.reconnectAfter}\n`);
      expect(stream.frames.at(-1)).toMatchObject({ type: 'disconnected', data: { code: 1001 } });
    }
  });

  it('is cut at shutdown when the client does not read it', async () => {
    const { port, app, hub } = await start({ platform, realtime: { channels } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=drop:a`);
    await stream.next('subscribed');
    stream.pause();
    await waitFor('a queue that is full', async () => {
      await hub.publish('drop:a', 'x'.repeat(200_000));
      return hub.stats().dropped > 0;
    });
    await app.close();
    expect(hub.stats().clients).toBe(0);
    stream.resume();
    await stream.ended;
    expect(stream.ofType('disconnected')).toEqual([]);
  });

  it('is a departure to others when the client goes, as its opening was an arrival', async () => {
    const presence = { 'room:{name}': { presence: { gracePeriod: 0 } } };
    const { port, url, hub } = await start({ platform, realtime: { channels: presence, guards: [asUser()] } });
    const socket = await TestClient.connect(`${url}/ws`);
    await socket.subscribe('room:a');
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=room:a`);
    expect(await socket.next('join')).toMatchObject({ data: { user: 'alice' } });
    expect((await hub.presence('room:a')).count).toBe(2);
    stream.close();
    expect(await socket.next('leave')).toMatchObject({ data: { user: 'alice' } });
    await socket.close();
  });

  it('when the client does not read, and nobody else waits for it', async () => {
    const { port, url, hub } = await start({ platform, realtime: { channels, limits: { sendQueueBytes: 300_000 } } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=room:a`);
    const socket = await TestClient.connect(`${url}/ws`);
    await socket.subscribe('room:a');
    await stream.next('subscribed');
    stream.pause();
    const text = 'x'.repeat(50_000);
    let published = 0;
    await waitFor('the eviction', async () => {
      await hub.publish('room:a', text, { type: 'big' });
      published++;
      return hub.stats().evicted === 1;
    });
    await waitFor('the other to have all', () => socket.ofType('big').length === published);
    expect(hub.connections().map(({ transport }) => transport)).toEqual(['websocket']);
    stream.resume();
    await stream.ended;
    expect(stream.ofType('big').length).toBeLessThan(published);
    await socket.close();
  });

  it.each(['drop', 'latest'])('not with the policy %s: it goes on with what there was room for', async (policy) => {
    const { port, hub } = await start({ platform, realtime: { channels, limits: { sendQueueBytes: 300_000 } } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=${policy}:a`);
    await stream.next('subscribed');
    stream.pause();
    const text = 'x'.repeat(50_000);
    let published = 0;
    await waitFor('something to be left out', async () => {
      await hub.publish(`${policy}:a`, { text, n: ++published }, { type: 'big' });
      return hub.stats().dropped >= 5;
    });
    stream.resume();
    if (policy === 'latest') {
      await stream.event(({ data }) => data?.n === published);
    } else {
      await waitFor('what was kept', () => stream.ofType('big').length + hub.stats().dropped === published);
    }
    await hub.publish(`${policy}:a`, {}, { type: 'after' });
    await stream.next('after');
    const order = stream.ofType('big').map(({ data }) => data.n as number);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(hub.stats()).toMatchObject({ evicted: 0, clients: 1 });
    stream.close();
  });

  it('when a write waits for too long', async () => {
    const slowConsumer = { policy: 'drop' as const, writeTimeout: 300 };
    const { port, hub } = await start({ platform, realtime: { channels: { a: {} }, slowConsumer, limits: { sendQueueBytes: 300_000 } } });
    const stream = await EventStream.open(`http://127.0.0.1:${port}/ws/events?channel=a`);
    await stream.next('subscribed');
    stream.pause();
    await waitFor('the eviction', async () => {
      await hub.publish('a', 'x'.repeat(50_000));
      return hub.stats().evicted === 1;
    });
    expect(hub.stats().clients).toBe(0);
    stream.close();
  });
});
