import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { Channel, OnConnect, OnMessage, SubscribeChannel } from 'nestjs-realtime';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

@Injectable()
class Handlers {
  running = 0;
  most = 0;
  readonly heard = new Map<string, number[]>();
  readonly open = deferred();

  @OnConnect()
  async connect(): Promise<void> {
    await delay(5);
  }

  @SubscribeChannel('slow:{name}', { requireSubscription: false })
  async say(@MessageBody() n: number, @Channel() channel: string): Promise<void> {
    await delay(Math.random());
    this.heard.set(channel, [...(this.heard.get(channel) ?? []), n]);
  }

  @OnMessage('work')
  async work(@MessageBody() n: number): Promise<number> {
    this.most = Math.max(this.most, ++this.running);
    await delay(Math.random());
    this.running--;
    return n;
  }

  @OnMessage('wait')
  wait(): Promise<void> {
    return this.open.promise;
  }
}

describe('a client that sends more than can be handled at once', () => {
  const createApp = testApps();

  it('loses nothing of 5,000 publications in one go, and they keep their order on each channel', async () => {
    const app = await createApp({ providers: [Handlers] });
    const { heard } = app.app.get(Handlers);
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    for (const n of numbers(5000)) client.send({ type: 'say', channel: `slow:${n % 50}`, data: n, id: n });
    await waitFor('all acks', () => client.ofType('ack').length === 5000);
    for (const room of numbers(50)) {
      expect(heard.get(`slow:${room}`)).toEqual(numbers(100).map((i) => i * 50 + room));
    }
    expect(new Set(client.ofType('ack').map(({ id }) => id)).size).toBe(5000);
  });

  it('loses nothing of 5,000 requests in one go, and has every answer once', async () => {
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const n of numbers(5000)) client.send({ type: 'work', data: n, id: n });
    await waitFor('all acks', () => client.ofType('ack').length === 5000);
    expect(client.ofType('ack').every(({ id, data }) => id === data)).toBe(true);
    expect(new Set(client.ofType('ack').map(({ id }) => id)).size).toBe(5000);
  });

  it('is not read from while limits.pendingCommands run or wait, and goes on afterwards; others are', async () => {
    const sockets: Socket[] = [];
    const app = await createApp({
      providers: [Handlers],
      realtime: { limits: { pendingCommands: 10 } },
      prepare: (nest) => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket)),
    });
    const client = await RawWebSocket.open(app.port);
    await client.message('connected');
    const padding = 'x'.repeat(10_000);
    for (const id of numbers(10)) client.send({ type: 'wait', id });
    await waitFor('the pause', () => sockets[0]!.isPaused());
    const read = sockets[0]!.bytesRead;
    for (const id of numbers(1000)) client.send({ type: 'ping', id, padding });
    const other = await TestClient.connect(`${app.url}/ws`);
    expect((await other.request({ type: 'work', data: 7 })).data).toBe(7);
    // What the operating system holds of 10 MB is not in this process.
    expect(sockets[0]!.bytesRead - read).toBeLessThan(200_000);

    app.app.get(Handlers).open.resolve();
    await waitFor('all pongs', () => client.messages.filter(({ type }) => type === 'pong').length === 1000);
    expect(client.messages.filter(({ type }) => type === 'ack')).toHaveLength(10);
    expect(client.messages.filter(({ type }) => type === 'pong').map(({ id }) => id)).toEqual(numbers(1000));
    client.destroy();
  });

  it('may be closed by the server while it is not read from, and is told so', async () => {
    const app = await createApp({ providers: [Handlers], realtime: { limits: { pendingCommands: 2 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const id of numbers(20)) client.send({ type: 'wait', id });
    await app.hub.disconnect({ connectionId: app.hub.connections()[0]!.id }, { code: 4000 });
    expect((await client.closed).code).toBe(4000);
    expect(app.hub.stats().clients).toBe(0);
    app.app.get(Handlers).open.resolve();
  });

  it('is forgotten when it vanishes while it is not read from, though its commands never end', async () => {
    const sockets: Socket[] = [];
    const app = await createApp({
      providers: [Handlers],
      realtime: { limits: { pendingCommands: 2 }, heartbeat: { interval: 100, timeout: 60_000 } },
      prepare: (nest) => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket)),
    });
    const client = await RawWebSocket.open(app.port);
    await client.message('connected');
    client.write(OPCODE.text, ...numbers(20).map((id) => JSON.stringify({ type: 'wait', id })));
    await waitFor('the pause', () => sockets[0]!.isPaused());
    client.raw.reset();
    await waitFor('nobody', () => app.hub.stats().clients === 0);
    expect(app.hub.connections()).toEqual([]);
    app.app.get(Handlers).open.resolve();
  });
});
