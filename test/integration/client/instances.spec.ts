import { RealtimeClient } from '../../../lib/client';
import { ChildApp } from '../../support/child-app';
import { RedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { waitFor } from '../../support/wait-for';
import { clientOf, Listener } from './listener';

let redis: RedisServer;
let proxy: TcpProxy;
let instances: ChildApp[];
let clients: RealtimeClient[];

const NEWS = 'news:all';
const urlOf = (port: number): string => `ws://127.0.0.1:${port}/ws`;

async function startInstance(): Promise<{ app: ChildApp; port: number }> {
  const app = ChildApp.start('client-app', redis.url);
  instances.push(app);
  return { app, port: await app.port() };
}

function open(port: number): RealtimeClient {
  const client = clientOf(urlOf(port));
  clients.push(client);
  return client;
}

/** Publishes one number after the other until it is stopped. */
function publishNumbers(client: RealtimeClient): { stop(): Promise<number> } {
  const state = { running: true };
  let last = 0;
  const done = (async () => {
    while (state.running) await client.channel(NEWS).publish('news', ++last);
  })();
  return {
    stop: async () => {
      state.running = false;
      await done;
      return last;
    },
  };
}

beforeAll(async () => {
  redis = await RedisServer.start();
});
beforeEach(() => {
  instances = [];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await proxy.stop();
  await Promise.all(instances.map((app) => app.kill()));
});
afterAll(() => redis.stop());

it('gets everything once and in order, while its instance is killed, the next is drained and the network is cut', async () => {
  const [first, second, publishing] = await Promise.all([startInstance(), startInstance(), startInstance()]);
  proxy = await TcpProxy.start(first.port);
  const listener = new Listener(open(proxy.port), NEWS);
  await listener.channel.subscribe();
  const numbers = publishNumbers(open(publishing.port));
  const goesOn = async (): Promise<void> => {
    const { length } = listener.messages;
    await waitFor('more publications', () => listener.messages.length >= length + 20);
  };

  await goesOn();
  proxy.retarget(second.port);
  await first.app.kill();
  await waitFor('the return after the crash', () => listener.returns >= 1);
  await goesOn();

  proxy.retarget(publishing.port);
  second.app.signal('SIGTERM');
  await waitFor('the return after the drain', () => listener.returns >= 2);
  await goesOn();

  for (let cuts = 0; cuts < 3; cuts++) {
    const { returns } = listener;
    proxy.cut();
    await waitFor('the return after the cut', () => listener.returns > returns);
    await goesOn();
  }

  const last = await numbers.stop();
  await waitFor('the last publication', () => listener.messages.at(-1) === last);
  expect(listener.messages).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  expect(new Set(listener.events)).toEqual(new Set(['recovered']));
}, 60_000);

it('publishes once what it has to send again, on another instance too, and in its order', async () => {
  const [first, second] = await Promise.all([startInstance(), startInstance()]);
  proxy = await TcpProxy.start(first.port);
  const channel = 'news:once';
  const witness = new Listener(open(second.port), channel);
  await witness.channel.subscribe();
  const client = open(proxy.port);
  await client.connect();

  // The server hears it, and its answer is lost: nobody knows whether it was published.
  proxy.swallow('toClient');
  const unknown = client.channel(channel).publish('news', 'unknown');
  await waitFor('the publication', () => witness.messages.length === 1);
  proxy.cut({ refuse: true });
  const offline = ['one', 'two', 'three'].map((text) => client.channel(channel).publish('news', text));
  proxy.retarget(second.port);
  proxy.heal();

  const cursors = (await Promise.all([unknown, ...offline])).map(({ cursor }) => cursor);
  await waitFor('all of them', () => witness.messages.length >= 4);
  await witness.channel.history();
  expect(witness.messages).toEqual(['unknown', 'one', 'two', 'three']);
  expect(new Set(cursors).size).toBe(4);
}, 60_000);
