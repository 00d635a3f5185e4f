// Runs in a process of its own, to be killed. Arguments: the HTTP platform and the URL of Redis.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RealtimeModule, RealtimeWsAdapter, redisAdapter } from 'nestjs-realtime';

const [, , platform, url] = process.argv;

@Module({
  imports: [
    RealtimeModule.forRoot({
      adapter: redisAdapter({ url }),
      channels: { 'kept:{name}': { history: { size: 100, ttl: '1m' } } },
    }),
  ],
})
class AppModule {}

async function main(): Promise<void> {
  const options = { logger: ['error'] as 'error'[] };
  const app =
    platform === 'fastify'
      ? await NestFactory.create(AppModule, new FastifyAdapter(), options)
      : await NestFactory.create(AppModule, options);
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`listening ${((app.getHttpServer() as Server).address() as AddressInfo).port}\n`);
}

void main();
