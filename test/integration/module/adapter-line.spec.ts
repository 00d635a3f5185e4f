import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import type { INestApplication } from '@nestjs/common';
import { HubService, MissingAdapterError, OnConnect, RealtimeModule, RealtimeWsAdapter, type Subscriber } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { rawUpgrade } from '../../support/raw-socket';

const realtime = RealtimeModule.forRoot({ channels: { '*': {} } });

describe.each(PLATFORMS)('the line in main.ts, over %s', (platform) => {
  const create = async (imports = [realtime]): Promise<INestApplication> => {
    const module = await Test.createTestingModule({ imports }).compile();
    return platform === 'fastify' ? module.createNestApplication(new FastifyAdapter()) : module.createNestApplication();
  };

  it('is shown by the error that stops the start without it', async () => {
    const app = await create();
    const error: unknown = await app.listen(0, '127.0.0.1').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MissingAdapterError);
    expect((error as Error).message).toContain('app.useWebSocketAdapter(new RealtimeWsAdapter(app));');
    await app.close();
  });

  it('is not replaced by the stock adapter', async () => {
    const app = await create();
    app.useWebSocketAdapter(new WsAdapter(app));
    await expect(app.init()).rejects.toBeInstanceOf(MissingAdapterError);
    await app.close();
  });

  it('does no harm in an application without the module', async () => {
    const app = await create([]);
    app.useWebSocketAdapter(new RealtimeWsAdapter(app));
    await app.listen(0, '127.0.0.1');
    await app.close();
    expect(app.getHttpServer().listening).toBe(false);
  });
});

describe('the line in an application without the module, made as main.ts makes it', () => {
  class EmptyModule {}

  afterEach(() => jest.restoreAllMocks());

  it('does not make Nest end the process, as it does for every error of its own', async () => {
    const exit = jest.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('the process would have ended');
    });
    const app = await NestFactory.create({ module: EmptyModule }, { logger: false });
    app.useWebSocketAdapter(new RealtimeWsAdapter(app));
    await app.listen(0, '127.0.0.1');
    await app.close();
    expect(exit).not.toHaveBeenCalled();
  });
});

describe('an application without HTTP', () => {
  @Injectable()
  class Connected {
    count = 0;

    @OnConnect()
    connect(): void {
      this.count++;
    }
  }

  class Recorder implements Subscriber {
    readonly received: unknown[] = [];

    send(frame: { text: string }): boolean {
      this.received.push(JSON.parse(frame.text));
      return true;
    }

    close(): void {}
  }

  it('publishes, needs no WebSocket adapter and closes', async () => {
    class AppModule {}
    const root = { module: AppModule, imports: [realtime], providers: [Connected] };
    const context = await NestFactory.createApplicationContext(root, { logger: false });
    const hub = context.get(HubService);
    const recorder = new Recorder();
    const connection = hub.register(recorder);
    await hub.subscribe({ connectionId: connection.id }, 'news');

    await expect(hub.publish('news', { n: 1 })).resolves.toMatchObject({ delivered: 'cluster' });
    await expect(hub.broadcast('deploy', {})).resolves.toMatchObject({ delivered: 'cluster' });
    expect(recorder.received).toContainEqual(expect.objectContaining({ type: 'message', channel: 'news', data: { n: 1 } }));
    expect(context.get(Connected).count).toBe(1);
    await context.close();
    await expect(hub.publish('news', {})).rejects.toMatchObject({ name: 'HubClosedError' });
  });

  it('starts as a testing module that nobody listens with', async () => {
    const module = await Test.createTestingModule({ imports: [realtime] }).compile();
    await module.init();
    await expect(module.get(HubService).publish('news', {})).resolves.toMatchObject({ delivered: 'cluster' });
    await module.close();
  });
});

describe('an adapter that is made and not installed', () => {
  it('serves all the same, for Nest installs adapters for gateways only', async () => {
    const module = await Test.createTestingModule({ imports: [realtime] }).compile();
    const app: INestApplication = module.createNestApplication();
    const adapter = new RealtimeWsAdapter(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    expect((await rawUpgrade(port, '/ws')).status).toBe(101);
    await app.close();
    await adapter.dispose();
    expect(app.getHttpServer().listenerCount('upgrade')).toBe(0);
  });
});
