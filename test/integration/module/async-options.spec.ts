import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import {
  HubService,
  MissingAdapterError,
  RealtimeModule,
  type RealtimeModuleOptions,
  RealtimeOptionsError,
  type RealtimeOptionsFactory,
  RealtimeWsAdapter,
} from 'nestjs-realtime';
import { refusal, TestClient } from '../../support/test-client';

@Injectable()
class Config {
  readonly path = '/configured';
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class RealtimeConfig implements RealtimeOptionsFactory {
  constructor(private readonly config: Config) {}

  async createRealtimeOptions(): Promise<RealtimeModuleOptions> {
    return Promise.resolve({ path: this.config.path });
  }
}

@Module({ imports: [ConfigModule], providers: [RealtimeConfig], exports: [RealtimeConfig] })
class RealtimeConfigModule {}

/** Injects what the realtime module exports, and does not import that. */
@Injectable()
class Publisher {
  constructor(readonly hub: HubService) {}
}

@Module({ providers: [Publisher] })
class PublishingModule {}

async function start(...imports: (DynamicModule | typeof PublishingModule)[]): Promise<INestApplication> {
  const module = await Test.createTestingModule({ imports }).compile();
  const app = module.createNestApplication();
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  await app.listen(0, '127.0.0.1');
  return app;
}

const urlOf = (app: INestApplication): string =>
  `ws://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;

describe('forRootAsync', () => {
  it('CHECKLIST 1: starts and serves without Redis and without authentication, when its factory gives no options', async () => {
    const app = await start(RealtimeModule.forRootAsync({ useFactory: () => ({}) }));
    const client = await TestClient.connect(`${urlOf(app)}/ws`, { greeted: false });
    expect((await client.next('connected')).data).toMatchObject({ user: null, heartbeat: { interval: 30_000, timeout: 60_000 } });
    await expect(app.get(HubService).broadcast('hello', 1)).resolves.toEqual({ delivered: 'cluster' });
    expect(await client.next('hello')).toMatchObject({ data: 1 });
    await app.close();
    expect((await client.closed).code).toBe(1001);
  });

  it.each<[string, DynamicModule]>([
    [
      'useFactory',
      RealtimeModule.forRootAsync({
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async (config: Config) => Promise.resolve({ path: config.path }),
      }),
    ],
    ['useClass', RealtimeModule.forRootAsync({ imports: [ConfigModule], useClass: RealtimeConfig })],
    ['useExisting', RealtimeModule.forRootAsync({ imports: [RealtimeConfigModule], useExisting: RealtimeConfig })],
  ])('takes the options from %s', async (_form, realtime) => {
    const app = await start(realtime);
    await (await TestClient.connect(`${urlOf(app)}/configured`)).close();
    expect((await refusal(`${urlOf(app)}/ws`)).status).toBe(404);
    await app.close();
  });

  it.each<[string, DynamicModule]>([
    ['forRoot', RealtimeModule.forRoot({ isGlobal: true })],
    ['forRootAsync', RealtimeModule.forRootAsync({ isGlobal: true, useFactory: () => ({}) })],
  ])('%s with isGlobal lets every module inject the hub', async (_form, realtime) => {
    const app = await start(realtime, PublishingModule);
    expect(app.get(Publisher).hub).toBe(app.get(HubService));
    await app.close();
  });

  it.each<[string, DynamicModule]>([
    ['forRoot', RealtimeModule.forRoot({})],
    ['forRootAsync', RealtimeModule.forRootAsync({ useFactory: () => ({}) })],
  ])('%s without isGlobal keeps the hub to modules that import it', async (_form, realtime) => {
    await expect(start(realtime, PublishingModule)).rejects.toThrow(/HubService/);
  });

  it.each([
    ['are wrong', () => ({ path: 'ws' }), 'path'],
    ['were not returned', () => undefined as unknown as RealtimeModuleOptions, 'options'],
    ['are null', () => null as unknown as RealtimeModuleOptions, 'options'],
  ])('stops the start when the options %s', async (_what, useFactory, option) => {
    const starting = start(RealtimeModule.forRootAsync({ useFactory }));
    await expect(starting).rejects.toBeInstanceOf(RealtimeOptionsError);
    await expect(starting).rejects.toMatchObject({ option });
  });

  it('stops the start with what the factory threw', async () => {
    const useFactory = (): RealtimeModuleOptions => {
      throw new Error('no configuration');
    };
    await expect(start(RealtimeModule.forRootAsync({ useFactory }))).rejects.toThrow('no configuration');
  });

  it('refuses a second realtime module in the same application, and says why', async () => {
    const starting = start(RealtimeModule.forRoot({ path: '/one' }), RealtimeModule.forRoot({ path: '/two' }));
    await expect(starting).rejects.toThrow(/imported more than once/);
    await expect(starting).rejects.not.toBeInstanceOf(MissingAdapterError);
  });
});
