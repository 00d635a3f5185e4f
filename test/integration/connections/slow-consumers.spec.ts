import type { Socket } from 'node:net';
import type { RealtimeModuleOptions, SlowConsumerPolicy } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const KIB = 1024;
const QUEUE = 512 * KIB;
/** More than the kernel takes off the server for a client that does not read. */
const MUCH = 40 * KIB * KIB;
const PAYLOAD = 'x'.repeat(120 * KIB);

/** A server with one client that stops reading, and one that goes on. */
interface Pair {
  app: TestApp;
  slow: RawWebSocket;
  healthy: TestClient;
  /** The slow client's socket on the server. */
  socket: Socket;
}

describe('CHECKLIST 17: a client that does not read', () => {
  const createApp = testApps();

  const pair = async (realtime: RealtimeModuleOptions): Promise<Pair> => {
    const sockets: Socket[] = [];
    const app = await createApp({
      realtime: { limits: { sendQueueBytes: QUEUE }, channels: { '*': {} }, ...realtime },
      prepare: (nest) => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket)),
    });
    const slow = await RawWebSocket.open(app.port);
    slow.send({ type: 'subscribe', channel: 'a' });
    await slow.message('subscribed');
    const healthy = await TestClient.connect(`${app.url}/ws`);
    await healthy.subscribe('a');
    slow.stopReading();
    return { app, slow, healthy, socket: sockets[0]! };
  };

  /** Publishes so much that the slow client falls behind, at the pace of the healthy one. */
  const flood = async ({ app, healthy, socket }: Pair, enough: () => boolean): Promise<number> => {
    let count = 0;
    let waiting = 0;
    for (let sent = 0; sent < MUCH && !enough(); sent += PAYLOAD.length) {
      await app.hub.publish('a', { n: count++, PAYLOAD });
      await healthy.take(({ data }) => data?.n === count - 1);
      waiting = Math.max(waiting, socket.writableLength);
    }
    expect(waiting).toBeLessThanOrEqual(QUEUE + 2 * PAYLOAD.length);
    return count;
  };
  const numbersOf = (slow: RawWebSocket): number[] => slow.messages.filter(({ type }) => type === 'message').map(({ data }) => data.n);

  it('is disconnected with 4008 by default, and counted once; the others get everything', async () => {
    const both = await pair({});
    const { app, slow, healthy } = both;
    await flood(both, () => app.hub.stats().evicted > 0);
    expect(app.hub.stats()).toMatchObject({ clients: 1, evicted: 1, subscribers: 1 });
    expect(app.hub.stats().dropped).toBeGreaterThan(0);
    slow.readAgain();
    expect(await slow.closeCode()).toBe(4008);
    const numbers = numbersOf(slow);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    await app.hub.publish('a', 'still here');
    expect(await healthy.take(({ data }) => data === 'still here')).toBeDefined();
    slow.destroy();
  });

  it('is disconnected with 4008 by the number of frames too', async () => {
    const both = await pair({ limits: { sendQueueBytes: MUCH, sendQueueFrames: 5 } });
    const { app, slow } = both;
    await waitFor('the eviction', async () => {
      await app.hub.publish('a', { PAYLOAD });
      return app.hub.stats().evicted > 0;
    });
    expect(app.hub.stats()).toMatchObject({ clients: 1, evicted: 1, subscribers: 1 });
    slow.destroy();
  });

  it('with drop keeps its connection and misses the newest; what it gets is in order, and what it missed is counted', async () => {
    const both = await pair({ channels: { a: { slowConsumer: 'drop' } } });
    const { app, slow } = both;
    const count = await flood(both, () => app.hub.stats().dropped >= 20);
    const { dropped, evicted } = app.hub.stats();
    expect(evicted).toBe(0);
    expect(dropped).toBeGreaterThan(0);
    slow.readAgain();
    await waitFor('the rest', () => numbersOf(slow).length === count - dropped);
    const numbers = numbersOf(slow);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.slice(0, 3)).toEqual([0, 1, 2]);
    expect(slow.frames.every(({ opcode }) => opcode !== OPCODE.close)).toBe(true);
    slow.destroy();
  });

  it('with latest gets the newest when it reads again', async () => {
    const both = await pair({ channels: { a: { slowConsumer: 'latest' } } });
    const { app, slow } = both;
    const count = await flood(both, () => app.hub.stats().dropped >= 20);
    const { dropped, evicted } = app.hub.stats();
    expect(evicted).toBe(0);
    expect(dropped).toBeGreaterThan(0);
    slow.readAgain();
    await waitFor('the newest', () => numbersOf(slow).at(-1) === count - 1);
    const numbers = numbersOf(slow);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers).toHaveLength(count - dropped);
    slow.destroy();
  });

  it.each<SlowConsumerPolicy>(['drop', 'latest', 'disconnect'])('with %s is ended with 4008 when one write has waited for too long, counted once', async (policy) => {
    const both = await pair({ slowConsumer: { policy, writeTimeout: 100 }, heartbeat: { interval: 50, timeout: 60_000 } });
    const { app, slow, socket } = both;
    await waitFor('a write that waits', async () => {
      if (socket.writableLength === 0) await app.hub.publish('a', { PAYLOAD });
      return app.hub.stats().evicted > 0;
    });
    // Several sweeps of the heartbeat later.
    const healthy = await TestClient.connect(`${app.url}/ws`);
    let pings = 0;
    healthy.socket.on('ping', () => pings++);
    await waitFor('some sweeps', () => pings >= 5);
    expect(app.hub.stats()).toMatchObject({ evicted: 1, clients: 2 });
    slow.destroy();
  });

  it('is disconnected, whatever the policy of its channels, when not even a reply finds room', async () => {
    const both = await pair({ slowConsumer: 'drop' });
    const { app, slow } = both;
    await flood(both, () => app.hub.stats().dropped > 0);
    await waitFor('the eviction', async () => {
      await app.hub.broadcast('all', PAYLOAD);
      return app.hub.stats().evicted > 0;
    });
    expect(app.hub.stats()).toMatchObject({ clients: 1, evicted: 1, subscribers: 1 });
    slow.destroy();
  });

  it('frees its place at once, and its socket soon, though it never answers the close', async () => {
    const both = await pair({ slowConsumer: { policy: 'disconnect', writeTimeout: 60_000 } });
    const { app, slow, socket } = both;
    await flood(both, () => app.hub.stats().evicted > 0);
    expect(app.hub.connections()).toHaveLength(1);
    expect(app.hub.channelInfo('a')).toMatchObject({ subscribers: 1 });
    await waitFor('the socket', () => socket.destroyed);
    slow.destroy();
  });

  it('that floods the server with requests is not read from, and bounded', async () => {
    const sockets: Socket[] = [];
    const app = await createApp({
      realtime: { limits: { sendQueueBytes: QUEUE } },
      prepare: (nest) => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket)),
    });
    const greedy = await RawWebSocket.open(app.port);
    await greedy.message('connected');
    greedy.stopReading();
    const id = 'x'.repeat(250);
    await waitFor('the eviction', () => {
      greedy.send(...Array.from({ length: 1000 }, () => ({ type: 'ping', id })));
      expect(sockets[0]!.writableLength).toBeLessThanOrEqual(QUEUE + 300 * KIB);
      return app.hub.stats().evicted === 1;
    });
    greedy.destroy();
  });

  it('that floods the server with pings is bounded, and answered the latest when it reads again', async () => {
    const sockets: Socket[] = [];
    const app = await createApp({
      realtime: {},
      prepare: (nest) => nest.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket)),
    });
    const greedy = await RawWebSocket.open(app.port);
    await greedy.message('connected');
    greedy.stopReading();
    const batch = Array.from({ length: 2000 }, () => 'x'.repeat(125));
    for (let sent = 0; sent < MUCH; sent += batch.length * 125) {
      greedy.write(OPCODE.ping, ...batch);
      await waitFor('the server to read', () => greedy.raw.socket.writableLength === 0);
      expect(sockets[0]!.writableLength).toBeLessThanOrEqual(QUEUE);
    }
    greedy.write(OPCODE.ping, 'the last');
    greedy.readAgain();
    const pongs = (): string[] => greedy.frames.filter(({ opcode }) => opcode === OPCODE.pong).map(({ payload }) => payload.toString());
    await waitFor('the last pong', () => pongs().at(-1) === 'the last');
    greedy.destroy();
  });
});
