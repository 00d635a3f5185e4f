import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { HubService, RealtimeModule, type RealtimeModuleOptions, RealtimeWsAdapter } from 'nestjs-realtime';

export type Platform = 'express' | 'fastify';

/** The HTTP platforms that everything has to work on. */
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

export interface TestAppOptions extends ModuleMetadata {
  realtime?: RealtimeModuleOptions;
  platform?: Platform;
  /** Runs before the application starts: `useGlobalPipes` and the like. */
  prepare?: (app: INestApplication) => void;
}

/** An application that listens. */
export interface TestApp {
  app: INestApplication;
  hub: HubService;
  /** `ws://127.0.0.1:<port>` */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Makes a Nest application with the module and its WebSocket adapter, and does not start it. */
export async function createUnstartedApp(options: TestAppOptions = {}): Promise<INestApplication> {
  const { realtime = {}, platform = 'express', prepare, imports = [], ...metadata } = options;
  const module = await Test.createTestingModule({
    imports: [RealtimeModule.forRoot({ ...realtime, isGlobal: true }), ...imports],
    ...metadata,
  }).compile();
  const app =
    platform === 'fastify'
      ? module.createNestApplication(new FastifyAdapter())
      : module.createNestApplication();
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  prepare?.(app);
  return app;
}

/** Starts a Nest application with the module on a free port. */
export async function createApp(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await createUnstartedApp(options);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, hub: app.get(HubService), url: `ws://127.0.0.1:${port}`, port, close: () => app.close() };
}
