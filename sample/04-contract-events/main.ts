import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { RealtimeWsAdapter } from 'nestjs-realtime';
import { Environment } from '../shared/environment';
import { listen } from '../shared/listen';
import { servePages } from '../shared/serve-pages';
import { AppModule } from './app.module';

async function main(): Promise<void> {
  if (new Environment(process.env).redisUrl === undefined) {
    new Logger('Sample').error('This sample reads a Redis stream: set REDIS_URL, such as redis://localhost:6379');
    process.exitCode = 1;
    return;
  }
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  app.enableShutdownHooks();
  servePages(app, '04-contract-events');
  await listen(app, 'The page of contract events');
}

void main();
