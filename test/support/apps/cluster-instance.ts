// One of several instances, in a process of its own. Arguments: options of redisAdapter() as JSON.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import {
  apiKeys,
  type ClusterStats,
  HubService,
  OnMessage,
  RealtimeModule,
  RealtimeWsAdapter,
  redisAdapter,
  type RedisAdapterOptions,
  SubscribeChannel,
} from 'nestjs-realtime';

@Injectable()
class Handlers {
  constructor(private readonly hub: HubService) {}

  @SubscribeChannel('room:{name}')
  room(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('kept:{name}')
  kept(@MessageBody() body: unknown): unknown {
    return body;
  }

  @OnMessage('stats')
  stats(): Promise<ClusterStats> {
    return this.hub.clusterStats();
  }
}

@Module({
  imports: [
    RealtimeModule.forRoot({
      adapter: redisAdapter(JSON.parse(process.argv[2]!) as RedisAdapterOptions),
      auth: { authenticator: apiKeys({ 'key-alice': 'alice', 'key-bob': 'bob', 'key-carol': 'carol' }) },
      channels: { 'room:{name}': { presence: true }, 'kept:{name}': { history: { size: 100, ttl: '10m' } } },
    }),
  ],
  providers: [Handlers],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`listening ${((app.getHttpServer() as Server).address() as AddressInfo).port}\n`);
}

void main();
