// An instance that clients publish on and listen to. Arguments: the Redis URL; empty: the in-memory adapter.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, RealtimeModule, RealtimeWsAdapter, redisAdapter, SubscribeChannel } from 'nestjs-realtime';

@Injectable()
class News {
  @SubscribeChannel('news:{name}', { requireSubscription: false })
  take(@MessageBody() data: unknown): unknown {
    return data;
  }

  @OnMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

@Module({
  imports: [
    RealtimeModule.forRoot({
      adapter: redisAdapter({ url: process.argv[2] }),
      channels: { 'news:{name}': { history: { size: 10_000, ttl: '10m' } } },
      shutdown: { timeout: '5s', reconnectSpread: 100 },
    }),
  ],
  providers: [News],
})
class ClientModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(ClientModule, { logger: ['error'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`listening ${((app.getHttpServer() as Server).address() as AddressInfo).port}\n`);
}

void main();
