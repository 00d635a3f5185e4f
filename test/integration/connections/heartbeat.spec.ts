import { Injectable } from '@nestjs/common';
import { ConnectedClient, type Connection, type DisconnectEvent, OnDisconnect, OnMessage } from 'nestjs-realtime';
import { MessageBody } from '@nestjs/websockets';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { deferred, waitFor } from '../../support/wait-for';

/** Short enough for a test, and far above what a loaded machine delays. */
const HEARTBEAT = { interval: 100, timeout: 1000 };

@Injectable()
class Ends {
  readonly codes: number[] = [];
  readonly open = deferred();

  @OnDisconnect()
  disconnect(@ConnectedClient() _: Connection, @MessageBody() { code }: DisconnectEvent): void {
    this.codes.push(code);
  }

  @OnMessage('slow')
  slow(): Promise<void> {
    return this.open.promise;
  }
}

describe('CHECKLIST 20: the heartbeat', () => {
  const createApp = testApps();

  it('pings natively, again and again', async () => {
    const app = await createApp({ realtime: { heartbeat: HEARTBEAT } });
    const client = await TestClient.connect(`${app.url}/ws`);
    let pings = 0;
    client.socket.on('ping', () => pings++);
    await waitFor('pings', () => pings >= 5);
    expect(client.frames).toEqual([]);
  });

  it('keeps an idle client that answers open, far past the timeout', async () => {
    const app = await createApp({ realtime: { heartbeat: { interval: 100, timeout: 500 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const opened = performance.now();
    let pings = 0;
    client.socket.on('ping', () => pings++);
    await waitFor('three timeouts', () => pings >= 15 && performance.now() - opened > 1500);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect(app.hub.stats()).toMatchObject({ clients: 1, evicted: 0 });
  });

  it('ends a client that never pongs with 4001 after the timeout, however much it says', async () => {
    const app = await createApp({ providers: [Ends], realtime: { heartbeat: HEARTBEAT } });
    const opened = performance.now();
    const client = await TestClient.connect(`${app.url}/ws`, { autoPong: false });
    const talking = setInterval(() => client.send({ type: 'ping' }), 50);
    expect(await client.closed).toEqual({ code: 4001, reason: expect.any(String) });
    clearInterval(talking);
    expect(performance.now() - opened).toBeGreaterThan(HEARTBEAT.timeout - 50);
    await waitFor('the end', () => app.app.get(Ends).codes.length === 1);
    expect(app.app.get(Ends).codes).toEqual([4001]);
    expect(app.hub.stats()).toMatchObject({ clients: 0, evicted: 0 });
  });

  it('takes a pong without a ping for a sign of life', async () => {
    const app = await createApp({ realtime: { heartbeat: { interval: 300, timeout: 700 } } });
    const client = await RawWebSocket.open(app.port);
    const opened = performance.now();
    const ponging = setInterval(() => client.write(OPCODE.pong, ''), 50);
    await waitFor('two timeouts', () => performance.now() - opened > 1500);
    expect(client.frames.some(({ opcode }) => opcode === OPCODE.close)).toBe(false);
    expect(app.hub.stats().clients).toBe(1);
    clearInterval(ponging);
    expect(await client.closeCode()).toBe(4001);
    client.destroy();
  });

  it('ends a half-open socket, that neither reads nor answers any more, and forgets it', async () => {
    const app = await createApp({ providers: [Ends], realtime: { heartbeat: HEARTBEAT, channels: { '*': {} } } });
    const [client, other] = [await RawWebSocket.open(app.port), await TestClient.connect(`${app.url}/ws`)];
    client.send({ type: 'subscribe', channel: 'a' });
    await client.message('subscribed');
    client.stopReading();
    await waitFor('the end', () => app.app.get(Ends).codes.length === 1);
    expect(app.app.get(Ends).codes).toEqual([4001]);
    expect(app.hub.stats()).toMatchObject({ clients: 1, channels: 0, subscribers: 0 });
    expect(await other.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    client.destroy();
  });

  it('forgives a client that is not read from because its commands are still running', async () => {
    const app = await createApp({ providers: [Ends], realtime: { heartbeat: { interval: 50, timeout: 300 }, limits: { pendingCommands: 2 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const opened = performance.now();
    const replies = [1, 2, 3].map(() => client.request({ type: 'slow' }));
    await waitFor('three timeouts', () => performance.now() - opened > 900);
    expect(app.hub.stats().clients).toBe(1);
    app.app.get(Ends).open.resolve();
    for (const reply of await Promise.all(replies)) expect(reply.type).toBe('ack');
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  it('blames nobody for what the server itself was too busy to hear', async () => {
    const app = await createApp({ realtime: { heartbeat: { interval: 50, timeout: 300 } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    let pings = 0;
    client.socket.on('ping', () => pings++);
    await waitFor('the first pings', () => pings >= 2);
    const resumed = performance.now() + 700;
    while (performance.now() < resumed);
    const before = pings;
    await waitFor('more pings', () => pings >= before + 3 || app.hub.stats().clients === 0);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('raises a timeout at or under the interval to twice that', async () => {
    const app = await createApp({ realtime: { heartbeat: { interval: 400, timeout: 400 } } });
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    expect((await client.next('connected')).data.heartbeat).toEqual({ interval: 400, timeout: 800 });
  });
});
