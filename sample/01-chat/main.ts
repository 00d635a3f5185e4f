import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { RealtimeWsAdapter } from 'nestjs-realtime';
import { listen } from '../shared/listen';
import { servePages } from '../shared/serve-pages';
import { AppModule } from './app.module';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  app.enableShutdownHooks();
  servePages(app, '01-chat');
  await listen(app, 'The chat');
}

void main();
