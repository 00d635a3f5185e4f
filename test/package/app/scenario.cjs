'use strict';
// What both entry files run, with the modules that each of them loaded in its own way. Decorators are called by hand:
// an application without a build step is enough to see that the package works.
const assert = require('node:assert/strict');
const { once } = require('node:events');

const CHANNEL = 'room:lobby';

/** A client that keeps every frame, and waits for the one that it is asked for. */
function connect(WebSocket, url) {
  const socket = new WebSocket(url);
  const frames = [];
  const waiting = new Set();
  socket.on('message', (data) => {
    frames.push(JSON.parse(data.toString()));
    for (const look of waiting) look();
  });
  const next = (wanted) =>
    new Promise((resolve) => {
      const look = () => {
        const found = frames.find((frame) => Object.entries(wanted).every(([name, value]) => frame[name] === value));
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { socket, next, send: (frame) => socket.send(JSON.stringify(frame)), closed: once(socket, 'close') };
}

function createAppModule({ Injectable, Module, MessageBody }, { RealtimeModule, SubscribeChannel }) {
  class RoomChannel {
    say(body) {
      return { ...body, heard: true };
    }
  }
  Injectable()(RoomChannel);
  MessageBody()(RoomChannel.prototype, 'say', 0);
  SubscribeChannel('room:{name}')(RoomChannel.prototype, 'say', Object.getOwnPropertyDescriptor(RoomChannel.prototype, 'say'));

  class AppModule {}
  const realtime = RealtimeModule.forRoot({ path: '/ws', channels: { 'room:{name}': {} } });
  Module({ imports: [realtime], providers: [RoomChannel] })(AppModule);
  return AppModule;
}

/** Starts an application, has a client subscribe, publish and be published to, and closes everything. */
async function run({ nest, realtime, WebSocket }) {
  const app = await nest.NestFactory.create(createAppModule(nest, realtime), { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new realtime.RealtimeWsAdapter(app));
  await app.listen(0, '127.0.0.1');

  const client = connect(WebSocket, `ws://127.0.0.1:${app.getHttpServer().address().port}/ws`);
  await client.next({ type: 'connected' });
  client.send({ type: 'subscribe', channel: CHANNEL, id: 1 });
  await client.next({ type: 'subscribed', id: 1 });

  await app.get(realtime.HubService).publish(CHANNEL, { text: 'hello' }, { type: 'chat' });
  const published = await client.next({ type: 'chat' });
  assert.deepEqual([published.channel, published.data], [CHANNEL, { text: 'hello' }]);

  client.send({ type: 'say', channel: CHANNEL, data: { text: 'hi' }, id: 2 });
  await client.next({ type: 'ack', id: 2 });
  assert.deepEqual((await client.next({ type: 'say' })).data, { text: 'hi', heard: true });

  await app.close();
  const [code] = await client.closed;
  assert.equal(code, 1001);
}

module.exports = { run };
