// The client of either module system, with a server of the same package.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HubService, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';
import { RealtimeClient } from 'nestjs-realtime/client';
import { WebSocket } from 'ws';

const require = createRequire(import.meta.url);
const clients = { cjs: require('nestjs-realtime/client').RealtimeClient, mjs: RealtimeClient };

class AppModule {}
Module({ imports: [RealtimeModule.forRoot({ path: '/ws', channels: { 'room:{name}': {} } })] })(AppModule);
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new RealtimeWsAdapter(app));
await app.listen(0, '127.0.0.1');

const heard = [];
for (const [system, Client] of Object.entries(clients)) {
  const client = new Client(`ws://127.0.0.1:${app.getHttpServer().address().port}/ws`, { WebSocket });
  const room = client.channel('room:lobby');
  await room.subscribe();
  const first = room[Symbol.asyncIterator]().next();
  await app.get(HubService).publish('room:lobby', 'hello');
  heard.push(`${system} ${(await first).value}`);
  client.close();
}
await app.close();
console.log(heard.join(', '));
