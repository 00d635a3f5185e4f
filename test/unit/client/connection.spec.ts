import { ConnectionError, RealtimeClient } from '../../../lib/client';
import { TestClient, connected, outcome } from './support/client';
import { FakePlatform, settle } from './support/fake-platform';

describe('connecting', () => {
  it('begins after the code that constructed the client, so that no listener misses anything', async () => {
    const test = new TestClient();
    expect(test.client.state).toBe('disconnected');
    expect(test.network.sockets).toHaveLength(0);
    await settle();
    expect(test.states).toEqual(['connecting']);
    await test.socket.welcome({ connectionId: 'c7', user: { id: 'alice' }, channels: ['room:lobby'] });
    expect(test.states).toEqual(['connecting', 'connected']);
    expect(test.context('connecting')).toEqual({ attempt: 0 });
    expect(test.context('connected')).toEqual({
      attempt: 0,
      transport: 'websocket',
      connectionId: 'c7',
      user: { id: 'alice' },
      channels: ['room:lobby'],
    });
  });

  it('waits for connect() with autoConnect: false', async () => {
    const test = new TestClient({ autoConnect: false });
    await settle();
    expect(test.network.sockets).toHaveLength(0);
    const connecting = outcome(test.client.connect());
    await settle();
    expect(connecting.settled).toBe(0);
    await test.socket.welcome();
    expect(connecting).toEqual({ value: undefined, settled: 1 });
  });

  it('offers the subprotocol and nothing else without a token', async () => {
    const { socket } = await connected();
    expect(socket.url).toBe('wss://example.test/ws');
    expect(socket.protocols).toEqual(['realtime.v1']);
    expect(socket.options).toBeUndefined();
  });

  it('asks a server that sends no welcome for a sign of life, and takes any frame for one', async () => {
    const test = new TestClient();
    await settle();
    await test.socket.open();
    expect(test.client.state).toBe('connecting');
    await test.platform.advance(1000);
    expect(test.socket.sent).toEqual([{ type: 'ping' }]);
    await test.socket.receive({ type: 'pong' });
    expect(test.context('connected')).toMatchObject({ channels: [], transport: 'websocket' });
  });

  it('gives an attempt connectTimeout, and then tries anew', async () => {
    const test = new TestClient({ connectTimeout: 3000 });
    await settle();
    const { socket } = test;
    await test.platform.advance(2999);
    expect(socket.isInUse).toBe(true);
    await test.platform.advance(1);
    expect(socket.isInUse).toBe(false);
    expect(test.context('disconnected')).toMatchObject({ code: 1006, reason: 'no answer within 3000 ms' });
    await (await test.reconnect()).welcome();
    expect(test.client.state).toBe('connected');
  });

  it('tries anew when the token does not come in time, and uses it then when it comes late', async () => {
    const tokens: ((token: string) => void)[] = [];
    const test = new TestClient({ token: () => new Promise((resolve) => tokens.push(resolve)) });
    await settle();
    await test.platform.advance(10_000);
    expect(test.context('disconnected')).toMatchObject({ willReconnect: true });
    tokens[0]!('late');
    await settle();
    expect(test.network.sockets).toHaveLength(0);
    await test.platform.advance(2000);
    expect(test.network.sockets).toHaveLength(1);
    expect(tokens).toHaveLength(1);
  });

  it.each(['http://example.test/ws', 'https://example.test/ws'])('takes %s for the WebSocket address', async (url) => {
    const test = new TestClient();
    const client = new RealtimeClient(`${url}#top`, { WebSocket: test.network.WebSocket, platform: test.platform });
    await settle();
    expect(test.socket.url).toBe(url.replace('http', 'ws'));
    client.close();
    test.client.close();
  });

  it.each(['nonsense', 'ftp://example.test/ws'])('refuses the address %s', (url) => {
    expect(() => new RealtimeClient(url, { WebSocket: new TestClient().network.WebSocket })).toThrow(/URL/);
  });

  it('says what is missing in a runtime without WebSocket', () => {
    expect(() => new RealtimeClient('wss://example.test/ws', { WebSocket: undefined })).toThrow(/option WebSocket/);
  });

  it('reads and writes the names of a renamed envelope', async () => {
    const test = new TestClient({ envelope: { type: 'event', data: 'payload' } });
    const messages: unknown[] = [];
    test.client.on('message', (data, { type }) => messages.push([type, data]));
    await settle();
    await test.socket.open();
    test.socket.receiveText(JSON.stringify({ event: 'connected', payload: { connectionId: 'c1' } }));
    test.socket.receiveText(JSON.stringify({ event: 'notice', payload: 1 }));
    void test.client.request('ask', { a: 1 }).catch(() => undefined);
    await settle();
    expect(test.context('connected')).toMatchObject({ connectionId: 'c1' });
    expect(messages).toEqual([['notice', 1]]);
    expect(test.socket.sent).toEqual([expect.objectContaining({ event: 'ask', payload: { a: 1 } })]);
    test.client.close();
  });

  it('takes no notice of what is no frame', async () => {
    const test = await connected();
    for (const text of ['{', '[]', 'null', '{"data":1}', '{"type":1}', new ArrayBuffer(8)]) test.socket.receiveText(text);
    await settle();
    expect(test.client.state).toBe('connected');
    expect(test.errors).toEqual([]);
  });
});

describe('reconnecting', () => {
  it('waits, tells how long, and connects again', async () => {
    const test = await connected();
    await test.socket.end(1011, 'oops');
    const { delay, error, ...context } = test.context('disconnected');
    expect(context).toEqual({ code: 1011, reason: 'oops', willReconnect: true });
    expect(error).toMatchObject({ code: 'unavailable', closeCode: 1011 });
    await test.platform.advance(delay! - 1);
    expect(test.network.sockets).toHaveLength(1);
    await test.platform.advance(1);
    expect(test.network.sockets).toHaveLength(2);
    await test.socket.welcome();
    expect(test.states).toEqual(['connecting', 'connected', 'disconnected', 'connecting', 'connected']);
    expect(test.context('connected')).toMatchObject({ attempt: 1 });
  });

  it('draws each delay from minDelay up to a bound that doubles until it is maxDelay', async () => {
    const test = await connected({ minDelay: 100, maxDelay: 1000 });
    test.platform.randoms = [0, 0.999, 0.999, 0.999, 0.999, 0.999, 0];
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      await test.socket.end();
      delays.push(test.context('disconnected').delay!);
      await test.reconnect();
    }
    expect(delays).toEqual([100, 400, 799, 999, 999, 999, 100]);
  });

  it('keeps waiting longer while connections break off at once, and begins anew after one that held', async () => {
    const test = await connected({ minDelay: 100, maxDelay: 10_000 });
    test.platform.randoms = Array.from({ length: 10 }, () => 0.999);
    const delays: number[] = [];
    for (const heldFor of [0, 0, 6000, 0]) {
      await test.platform.advance(heldFor);
      await test.socket.end(4013);
      delays.push(test.context('disconnected').delay!);
      await (await test.reconnect()).welcome();
    }
    expect(delays).toEqual([200, 400, 200, 400]);
  });

  it.each([1000, 1001, 1006, 1011, 4001, 4005, 4008, 4010, 4013, 4029, 4499])('comes back after %d', async (code) => {
    const test = await connected();
    await test.socket.end(code);
    await (await test.reconnect()).welcome();
    expect(test.client.state).toBe('connected');
  });

  it.each([
    [1009, 'unavailable'],
    [4500, 'unavailable'],
    [4501, 'unauthorized'],
    [4503, 'forbidden'],
    [4504, 'unavailable'],
    [4509, 'unavailable'],
    [4999, 'unavailable'],
  ])('stops after %d', async (code, errorCode) => {
    const test = await connected();
    await test.socket.end(code, 'enough');
    expect(test.context('disconnected')).toMatchObject({ code, reason: 'enough', willReconnect: false });
    expect(test.errors).toEqual([expect.objectContaining({ code: errorCode, closeCode: code })]);
    expect(test.errors[0]).toBeInstanceOf(ConnectionError);
    expect(test.platform.pendingTimers).toBe(0);
    await test.platform.advance(600_000);
    expect(test.network.sockets).toHaveLength(1);
  });

  it('connects again on request after it has stopped', async () => {
    const test = await connected();
    await test.socket.end(4509);
    const again = outcome(test.client.connect());
    await settle();
    await test.socket.welcome();
    expect(again.settled).toBe(1);
    expect(test.client.state).toBe('connected');
  });

  it('tells connect() why it did not come to anything', async () => {
    const test = new TestClient({ autoConnect: false });
    const connecting = outcome(test.client.connect());
    await settle();
    await test.socket.open();
    await test.socket.end(4503);
    expect(connecting.error).toMatchObject({ closeCode: 4503 });
  });

  it('does not wait any longer when connect() is called', async () => {
    const test = await connected();
    await test.socket.end(4013);
    void test.client.connect();
    await settle();
    expect(test.network.sockets).toHaveLength(2);
    expect(test.network.inUse).toBe(1);
  });

  it('comes back after the delay that a draining server advised', async () => {
    const test = await connected();
    await test.socket.receive({ type: 'draining', data: { reconnectAfter: 7654 } });
    await test.socket.end(1001);
    expect(test.context('disconnected')).toMatchObject({ delay: 7654, willReconnect: true });
    await test.platform.advance(7653);
    expect(test.network.sockets).toHaveLength(1);
    await test.platform.advance(1);
    expect(test.network.sockets).toHaveLength(2);
  });

  it('takes the advice once', async () => {
    const test = await connected();
    await test.socket.receive({ type: 'draining', data: { reconnectAfter: 20_000 } });
    await test.socket.end(1001);
    await (await test.reconnect()).end();
    expect(test.context('disconnected').delay).toBeLessThanOrEqual(2000);
  });

  it('stops after maxRetries with an error that says so', async () => {
    const test = await connected({ maxRetries: 3 });
    for (let i = 0; i < 3; i++) {
      await test.socket.end();
      expect(test.context('disconnected').willReconnect).toBe(true);
      await test.reconnect();
    }
    await test.socket.end();
    expect(test.context('disconnected').willReconnect).toBe(false);
    expect(test.errors.map(({ message }) => message)).toEqual([expect.stringContaining('Gave up after 3 reconnections')]);
    expect(test.platform.pendingTimers).toBe(0);
  });

  it('counts retries from the last connection on', async () => {
    const test = await connected({ maxRetries: 2 });
    for (let i = 0; i < 5; i++) {
      await test.socket.end();
      await (await test.reconnect()).welcome();
    }
    expect(test.client.state).toBe('connected');
  });

  it('ignores whatever a former socket still says', async () => {
    const test = await connected();
    const former = test.socket;
    const messages: unknown[] = [];
    test.client.on('message', (data) => messages.push(data));
    const { onmessage, onclose } = former;
    await former.end();
    await (await test.reconnect()).welcome();
    onmessage?.({ data: '{"type":"notice","data":1}' } as never);
    onclose?.({ code: 4503, reason: '' } as never);
    await settle();
    expect(messages).toEqual([]);
    expect(test.client.state).toBe('connected');
  });

  it('leaves nothing behind after a thousand reconnections', async () => {
    const test = await connected({ minDelay: 1, maxDelay: 2 });
    await settle();
    void test.client.channel('room:a').subscribe();
    await test.socket.receive({ type: 'subscribed', id: 1, channel: 'room:a', recoverable: true, cursor: '0' });
    const timers = test.platform.pendingTimers;
    for (let i = 0; i < 1000; i++) {
      await test.socket.end();
      const socket = await test.reconnect();
      await socket.welcome();
      const { id } = socket.sentOf('subscribe')[0]!;
      await socket.receive({ type: 'subscribed', id, channel: 'room:a', recoverable: true, recovered: true, cursor: '0' });
    }
    expect(test.platform.pendingTimers).toBe(timers);
    expect(test.platform.pendingWatchers).toBe(1);
    expect(test.network.sockets.filter((socket) => socket.onmessage !== null)).toEqual([test.socket]);
    expect(test.network.inUse).toBe(1);
  });
});

describe('the network and the page', () => {
  it('gives the connection up when the network goes, and connects as soon as it is back', async () => {
    const test = await connected();
    const { socket } = test;
    await test.platform.report('offline');
    expect(socket.isInUse).toBe(false);
    expect(test.context('disconnected')).toMatchObject({ reason: 'offline', willReconnect: true });
    await test.platform.report('online');
    expect(test.network.sockets).toHaveLength(2);
  });

  it('asks for a sign of life when the page is looked at again, and connects anew when none comes', async () => {
    const test = await connected();
    await test.platform.report('visible');
    expect(test.socket.sent).toEqual([{ type: 'ping' }]);
    await test.platform.advance(10_000);
    expect(test.context('disconnected')).toMatchObject({ reason: 'no answer' });
  });

  it('does not wait any longer when the page is looked at again, unless a server advised it', async () => {
    const test = await connected();
    await test.socket.end(1006);
    await test.platform.report('visible');
    expect(test.network.sockets).toHaveLength(2);
    await test.socket.welcome();
    await test.socket.receive({ type: 'draining', data: { reconnectAfter: 20_000 } });
    await test.socket.end(1001);
    await test.platform.report('visible');
    await test.platform.report('online');
    expect(test.network.sockets).toHaveLength(2);
  });

  it('takes no notice once it has stopped', async () => {
    const test = await connected();
    await test.socket.end(4503);
    for (const event of ['online', 'visible', 'offline'] as const) await test.platform.report(event);
    expect(test.network.sockets).toHaveLength(1);
  });
});

describe('a silent network', () => {
  const heartbeat = { interval: 5000, timeout: 9000 };

  it('is noticed within interval and timeout', async () => {
    const test = await connected({}, { heartbeat });
    await test.platform.advance(4999);
    expect(test.socket.sent).toEqual([]);
    await test.platform.advance(1);
    expect(test.socket.sent).toEqual([{ type: 'ping' }]);
    await test.platform.advance(8999);
    expect(test.client.state).toBe('connected');
    await test.platform.advance(1);
    expect(test.context('disconnected')).toMatchObject({ code: 1006, reason: 'no answer', willReconnect: true });
  });

  it('is told from one that is only quiet', async () => {
    const test = await connected({}, { heartbeat });
    for (let i = 0; i < 20; i++) {
      await test.platform.advance(5000);
      expect(test.socket.sent).toHaveLength(i + 1);
      await test.socket.receive({ type: 'pong' });
    }
    expect(test.client.state).toBe('connected');
  });

  it('is not suspected while anything arrives', async () => {
    const test = await connected({}, { heartbeat });
    for (let i = 0; i < 50; i++) {
      await test.platform.advance(1000);
      await test.socket.receive({ type: 'notice' });
    }
    expect(test.socket.sent).toEqual([]);
  });

  it('is watched by the figures of the options where the server gives none', async () => {
    const test = new TestClient({ heartbeat: { interval: 2000, timeout: 3000 } });
    await settle();
    await test.socket.open();
    await test.socket.receive({ type: 'notice' });
    await test.platform.advance(2000);
    expect(test.socket.sent).toEqual([{ type: 'ping' }]);
    await test.platform.advance(3000);
    expect(test.client.state).toBe('disconnected');
  });

  it('is watched although the clock was set back', async () => {
    const test = await connected({}, { heartbeat });
    await test.platform.advance(1000);
    await test.socket.receive({ type: 'notice' });
    test.platform.clockError = -3_600_000;
    await test.platform.advance(10_000);
    test.platform.clockError = 0;
    await test.platform.advance(5000);
    expect(test.socket.sentOf('ping')).toHaveLength(1);
  });

  it('is ended without waiting for an answer where the class allows it', async () => {
    const test = await connected({ asInNode: true }, { heartbeat });
    const { socket } = test;
    await test.platform.advance(14_000);
    expect(socket.closedWith).toBe(0);
  });

  it('is ended in a browser with a code that says that we come back', async () => {
    const test = await connected();
    const { socket } = test;
    await test.platform.report('offline');
    expect(socket.closedWith).toBe(4001);
  });
});

describe('close()', () => {
  it('closes with 1000 and leaves no timer, watcher or socket', async () => {
    const test = await connected();
    test.client.close();
    expect(test.socket.closedWith).toBe(1000);
    expect(test.context('disconnected')).toMatchObject({ code: 1000, willReconnect: false });
    expect(test.platform.pendingTimers).toBe(0);
    expect(test.platform.pendingWatchers).toBe(0);
    expect(test.errors).toEqual([]);
  });

  it('is final', async () => {
    const test = await connected();
    test.client.close();
    test.client.close();
    await expect(test.client.connect()).rejects.toMatchObject({ by: 'close' });
    await expect(test.client.request('ask')).rejects.toMatchObject({ by: 'close' });
    await expect(test.client.channel('room:a').subscribe()).rejects.toMatchObject({ by: 'close' });
    expect(test.states.filter((state) => state === 'disconnected')).toHaveLength(1);
    expect(test.network.sockets).toHaveLength(1);
  });

  it('keeps a client that has not begun from connecting', async () => {
    const test = new TestClient();
    test.client.close();
    await test.platform.advance(60_000);
    expect(test.network.sockets).toHaveLength(0);
    expect(test.errors).toEqual([]);
  });

  it('may be called by any listener', async () => {
    for (const state of ['connecting', 'connected', 'disconnected']) {
      const test = new TestClient();
      test.client.on('state', (now) => {
        if (now === state) test.client.close();
      });
      await settle();
      await test.network.sockets[0]?.welcome();
      await test.network.sockets[0]?.end();
      await test.platform.advance(60_000);
      expect(test.network.inUse).toBe(0);
      expect(test.platform.pendingTimers).toBe(0);
    }
  });

  it('gives up an attempt that is waiting for its token', async () => {
    const platform = new FakePlatform();
    const { network } = new TestClient({ autoConnect: false });
    const client = new RealtimeClient('wss://example.test/ws', {
      WebSocket: network.WebSocket,
      platform,
      token: () => Promise.resolve('t'),
    });
    await Promise.resolve();
    client.close();
    await settle();
    expect(network.sockets).toHaveLength(0);
    expect(platform.pendingTimers).toBe(0);
  });
});
