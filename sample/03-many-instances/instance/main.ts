import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { RealtimeWsAdapter } from 'nestjs-realtime';
import { InstanceModule } from './instance.module';
import { servePageWithPanel } from './serve-page-with-panel';
import { tellParent } from './tell-parent';

/** One of the instances: a process of its own behind the balancer. */
async function main(): Promise<void> {
  // Nobody is left behind when the balancer's process is killed.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const app = await NestFactory.create<NestExpressApplication>(InstanceModule, { logger: ['warn', 'error'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  app.enableShutdownHooks();
  servePageWithPanel(app);
  await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  tellParent({ kind: 'listening', port: (app.getHttpServer().address() as AddressInfo).port });
}

void main();
