import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  bearerToken,
  BearerTokenGuard,
  ConnectedUser,
  OnMessage,
  OnSubscribe,
  type RealtimeUser,
  SubscribeChannel,
} from 'nestjs-realtime';
import { RealtimeClient } from '../../../lib/client';
import type { TestApp } from '../../support/create-app';
import { TcpProxy } from '../../support/tcp-proxy';
import { testApps } from '../../support/test-apps';
import { deferred, waitFor } from '../../support/wait-for';
import { clientOf, Listener } from './listener';

const startApp = testApps();
let proxy: TcpProxy | undefined;
const clients: RealtimeClient[] = [];

/** One that ends with the test. */
function open(...args: Parameters<typeof clientOf>): RealtimeClient {
  const client = clientOf(...args);
  clients.push(client);
  return client;
}

@Injectable()
class Rooms {
  asked = 0;

  @OnSubscribe('room:{name}')
  enter(): unknown {
    return { topic: 'tea' };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() data: unknown): unknown {
    return data;
  }

  @OnMessage('ask')
  answer(@MessageBody() data: unknown): unknown {
    this.asked++;
    return { answer: data };
  }
}

/** An application, and the way to it that can be cut. */
async function startBehindProxy(): Promise<{ app: TestApp; url: string; way: TcpProxy }> {
  const app = await startApp({
    providers: [Rooms],
    realtime: { channels: { 'room:{name}': { history: { size: 100, ttl: '1h' }, presence: true } } },
  });
  const way = (proxy = await TcpProxy.start(app.port));
  return { app, way, url: `ws://127.0.0.1:${way.port}/ws` };
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy?.stop();
  proxy = undefined;
});

it('speaks with the server: subscribe data, publications, presence, history, requests and refusals', async () => {
  const { url } = await startBehindProxy();
  const [ada, grace] = [new Listener(open(url), 'room:tea'), new Listener(open(url), 'room:tea')];
  expect(await ada.channel.subscribe()).toMatchObject({ data: { topic: 'tea' }, recoverable: true });
  await grace.channel.subscribe();
  grace.channel.presence();

  const ack = await ada.channel.publish('chat', 'hello');
  await waitFor('the message', () => grace.messages.length === 1);
  expect(grace.messages).toEqual(['hello']);
  expect(grace.channel.cursor).toBe(ack.cursor);
  expect((await grace.channel.history()).publications).toMatchObject([{ type: 'chat', data: 'hello', cursor: ack.cursor }]);
  await waitFor('both members', () => grace.channel.presence().length === 2);

  expect(await ada.client.request('ask', 1)).toEqual({ answer: 1 });
  await expect(ada.client.request('nonsense')).rejects.toMatchObject({ code: 'unknown_type' });
  await expect(ada.client.channel('elsewhere').subscribe()).rejects.toMatchObject({ code: 'forbidden' });
  ada.client.close();
  await waitFor('one to be left', () => grace.channel.presence().length === 1);
});

it('comes back to what it missed, and notices a network that died without a word', async () => {
  const app = await startApp({
    realtime: { channels: { '*': { history: { size: 100, ttl: '1h' } } }, heartbeat: { interval: 300, timeout: 700 } },
  });
  const way = (proxy = await TcpProxy.start(app.port));
  // An attempt whose answer is lost, too, must not be waited for long.
  const client = open(`ws://127.0.0.1:${way.port}/ws`, { connectTimeout: 1000 });
  const listener = new Listener(client, 'room:tea');
  await listener.channel.subscribe();
  await app.hub.publish('room:tea', 1);
  await waitFor('the first', () => listener.messages.length === 1);

  way.swallow('toClient');
  await app.hub.publish('room:tea', 2);
  await waitFor('the end of the silence', () => listener.client.state !== 'connected');
  way.heal();
  await app.hub.publish('room:tea', 3);
  await waitFor('what was missed', () => listener.messages.length === 3);
  expect(listener.messages).toEqual([1, 2, 3]);
  // A machine that stands still for a while may lose it once more.
  expect(new Set(listener.events)).toEqual(new Set(['recovered']));
});

it('tells of the gap when the history does not reach back', async () => {
  const app = await startApp({ realtime: { channels: { '*': { history: { size: 2, ttl: '1h' } } } } });
  const way = (proxy = await TcpProxy.start(app.port));
  const listener = new Listener(open(`ws://127.0.0.1:${way.port}/ws`), 'room:tea');
  await listener.channel.subscribe();
  way.cut({ refuse: true });
  await waitFor('the cut', () => listener.client.state !== 'connected');
  for (const number of [1, 2, 3]) await app.hub.publish('room:tea', number);
  way.heal();
  await waitFor('the return', () => listener.events.includes('reset'));
  await app.hub.publish('room:tea', 4);
  await waitFor('the next', () => listener.messages.length === 1);
  expect(listener.messages).toEqual([4]);
  expect(listener.events).toEqual(['not recovered', 'reset']);
});

it('sends what waited while it was offline, each once and in order', async () => {
  const { app, way, url } = await startBehindProxy();
  const client = open(url);
  const listener = new Listener(client, 'room:tea');
  await listener.channel.subscribe();
  way.cut({ refuse: true });
  await waitFor('the cut', () => client.state !== 'connected');
  const waiting = [1, 2, 3].map((number) => listener.channel.publish('chat', number));
  const request = client.request('ask', 'later');
  way.heal();
  await Promise.all(waiting);
  expect(await request).toEqual({ answer: 'later' });
  await waitFor('all of them', () => listener.messages.length === 3);
  expect(listener.messages).toEqual([1, 2, 3]);
  expect(app.app.get(Rooms).asked).toBe(1);
});

it('uses a channel that the server has joined by the path, and continues it', async () => {
  const { app, way, url } = await startBehindProxy();
  const client = open(`${url}/tea`);
  const listener = new Listener(client, 'room:tea');
  await client.connect();
  await waitFor('the join', () => listener.channel.state === 'subscribed');
  await app.hub.publish('room:tea', 1);
  await waitFor('the first', () => listener.messages.length === 1);
  way.cut({ refuse: true });
  await waitFor('the cut', () => client.state !== 'connected');
  await app.hub.publish('room:tea', 2);
  way.heal();
  await waitFor('the return', () => listener.channel.state === 'subscribed' && listener.events.length > 0);
  await app.hub.publish('room:tea', 3);
  await waitFor('the last', () => listener.messages.includes(3));
  expect(listener.messages).toEqual([1, 2, 3]);
  expect(listener.events).toEqual(['recovered']);
});

describe('the token', () => {
  const lives = new Map<string, number>();
  @Injectable()
  class Session {
    @OnMessage('expiry')
    expiry(@ConnectedUser() user: RealtimeUser): unknown {
      return user.expiresAt;
    }
  }

  const startGuarded = (): Promise<TestApp> =>
    startApp({
      providers: [Session],
      realtime: {
        guards: [BearerTokenGuard],
        auth: {
          authenticator: bearerToken((token) => {
            const life = lives.get(token);
            return life === undefined ? undefined : { id: 'ada', expiresAt: Date.now() + life };
          }),
        },
        channels: { '*': { history: { size: 10, ttl: '1h' } } },
      },
    });

  /** Gives tokens that live so long each, in ms, from when they are shown: a slow machine has used up none of it. */
  function issuer(...lifetimes: number[]): { get(): string; issued: number } {
    return {
      issued: 0,
      get() {
        const token = `token-${++this.issued}-${Math.random()}`;
        const life = lifetimes[Math.min(this.issued, lifetimes.length) - 1]!;
        if (life > 0) lives.set(token, life);
        return token;
      },
    };
  }

  it('is asked for anew when the server refuses it', async () => {
    const app = await startGuarded();
    const tokens = issuer(0, 3_600_000);
    const client = open(`${app.url}/ws`, { token: () => tokens.get() });
    await client.connect();
    expect(tokens.issued).toBe(2);
  });

  it.each(['header', 'subprotocol'] as const)('travels in the %s', async (tokenTransport) => {
    const app = await startGuarded();
    const tokens = issuer(3_600_000);
    const client = open(`${app.url}/ws`, { token: () => tokens.get(), tokenTransport });
    await client.connect();
    expect(app.hub.connections()).toMatchObject([{ user: 'ada' }]);
  });

  it('is refreshed before it ends, on the connection as it is', async () => {
    const app = await startGuarded();
    const tokens = issuer(6000, 3_600_000);
    const end = Date.now() + 60_000;
    const client = open(`${app.url}/ws`, { token: () => tokens.get() });
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    await client.connect();
    await waitFor('the second token', async () => (await client.request<number>('expiry')) > end);
    expect(states).toEqual(['connecting', 'connected']);
    expect(tokens.issued).toBe(2);
  });

  it('is asked for anew when the server ends the connection over it (4005), and nothing is lost', async () => {
    const app = await startGuarded();
    const tokens = issuer(3000, 3_600_000);
    const cut = deferred();
    // A refresh comes to nothing: the application's token endpoint answers too late for it.
    const token = async (): Promise<string> => {
      if (tokens.issued > 0) await cut.promise;
      return tokens.get();
    };
    const listener = new Listener(open(`${app.url}/ws`, { token }), 'room:tea');
    const codes: number[] = [];
    listener.client.on('state', (state, context) => {
      if (state !== 'disconnected') return;
      codes.push(context.code);
      cut.resolve();
    });
    await listener.channel.subscribe();
    await app.hub.publish('room:tea', 1);
    await waitFor('the return', () => listener.returns === 1);
    await app.hub.publish('room:tea', 2);
    await waitFor('both', () => listener.messages.length === 2);
    expect(codes).toEqual([4005]);
    expect(listener.events).toEqual(['recovered']);
    expect(tokens.issued).toBeGreaterThan(1);
  });
});

describe('the fall-back to Server-Sent Events', () => {
  /** As behind a proxy that lets none through. */
  class BlockedWebSocket extends WebSocket {
    constructor(url: string) {
      super(url.replace('/ws', '/nowhere'));
    }
  }
  const transports = ['websocket', 'sse'] as const;

  it('receives, continues from its cursors after a cut, and sends nothing', async () => {
    const { app, way, url } = await startBehindProxy();
    const client = open(url, { transports, WebSocket: BlockedWebSocket });
    const [tea, milk] = [new Listener(client, 'room:tea'), new Listener(client, 'room:milk')];
    expect(await tea.channel.subscribe()).toMatchObject({ data: { topic: 'tea' }, recoverable: true });
    await app.hub.publish('room:tea', 1);
    // A further channel opens the stream anew.
    await milk.channel.subscribe();
    await app.hub.publish('room:tea', 2);
    await app.hub.publish('room:milk', 'a');
    await waitFor('both channels', () => tea.messages.length === 2 && milk.messages.length === 1);

    way.cut({ refuse: true });
    await waitFor('the cut', () => client.state !== 'connected');
    await app.hub.publish('room:tea', 3);
    way.heal();
    await app.hub.publish('room:milk', 'b');
    await waitFor('what was missed', () => tea.messages.length === 3 && milk.messages.length === 2);
    expect([tea.messages, milk.messages]).toEqual([[1, 2, 3], ['a', 'b']]);
    expect([tea.events, milk.events]).toEqual([['recovered'], ['recovered']]);
    await expect(tea.channel.publish('chat', 4)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('stays away when the server ends the stream for good', async () => {
    const { app, url } = await startBehindProxy();
    const client = open(url, { transports, WebSocket: BlockedWebSocket });
    let connectionId = '';
    let code = 0;
    client.on('state', (state, context) => {
      if (state === 'connected') connectionId = context.connectionId!;
      if (state === 'disconnected') code = context.code;
    });
    await client.connect();
    await app.hub.disconnect({ connectionId }, { reason: 'account closed' });
    await waitFor('the end', () => code !== 0);
    expect(code).toBe(4503);
    expect(client.state).toBe('disconnected');
  });
});

it("takes the runtime's own WebSocket where there is one", async () => {
  const app = await startApp({ realtime: { channels: { '*': {} } } });
  const runtime = globalThis as { WebSocket?: unknown };
  const own = runtime.WebSocket;
  runtime.WebSocket = WebSocket;
  try {
    const client = new RealtimeClient(`${app.url}/ws`);
    clients.push(client);
    expect(await client.channel('room:tea').subscribe()).toMatchObject({ recoverable: false });
  } finally {
    runtime.WebSocket = own;
  }
});
