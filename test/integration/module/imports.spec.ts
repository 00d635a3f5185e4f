import { Injectable } from '@nestjs/common';
import type { ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DuplicateModuleError, HubService, MissingOptionsError, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';

@Injectable()
class Publisher {
  constructor(readonly hub: HubService) {}
}

/** Starts an application with the module and another one that injects the hub, and closes it. */
async function start(feature: ModuleMetadata, ...modules: NonNullable<ModuleMetadata['imports']>): Promise<HubService> {
  class FeatureModule {}
  const imports = [...modules, { module: FeatureModule, providers: [Publisher], ...feature }];
  const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication();
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  try {
    await app.init();
    const { hub } = app.get(Publisher);
    return hub;
  } finally {
    await app.close();
  }
}

const thrown = (started: Promise<unknown>): Promise<unknown> => started.catch((error: unknown) => error);

describe('a module that injects the hub', () => {
  it('gets it where the realtime module is global', async () => {
    expect(await start({}, RealtimeModule.forRoot({ isGlobal: true }))).toBeInstanceOf(HubService);
  });

  it('gets it where it imports what forRoot() returned', async () => {
    const realtime = RealtimeModule.forRoot();
    expect(await start({ imports: [realtime] }, realtime)).toBeInstanceOf(HubService);
  });

  it('is told what to do where it imports the bare class', async () => {
    const error = await thrown(start({ imports: [RealtimeModule] }, RealtimeModule.forRoot()));
    expect(error).toBeInstanceOf(MissingOptionsError);
    expect((error as Error).message).toContain('RealtimeModule.forRoot({ isGlobal: true })');
  });

  it('is told what to do where it calls forRoot() a second time', async () => {
    const error = await thrown(start({ imports: [RealtimeModule.forRoot({ path: '/other' })] }, RealtimeModule.forRoot()));
    expect(error).toBeInstanceOf(DuplicateModuleError);
    expect(error).toMatchObject({ count: 2 });
    expect((error as Error).message).toContain('isGlobal: true');
  });
});
