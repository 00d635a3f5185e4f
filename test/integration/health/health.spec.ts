import { Controller, Get, type INestApplication } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { memoryAdapter, redisAdapter } from 'nestjs-realtime';
import { RealtimeHealthIndicator } from '../../../lib/health';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { testApps } from '../../support/test-apps';
import type { TestApp } from '../../support/create-app';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs, useCleanup } from '../adapter/redis-nodes';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly realtime: RealtimeHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.realtime.isHealthy()]);
  }

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.realtime.isReady('sockets')]);
  }
}

interface Answer {
  status: number;
  body: { details: Record<string, Record<string, unknown>> };
}

silenceLogs();
const cleanup = useCleanup();
const start = testApps();

describe('RealtimeHealthIndicator', () => {
  const startWithHealth = (adapter: ReturnType<typeof redisAdapter>, prepare?: (app: INestApplication) => void): Promise<TestApp> =>
    start({
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [RealtimeHealthIndicator],
      realtime: { adapter, channels: { '*': {} } },
      prepare,
    });

  async function ask({ port }: TestApp, path: 'live' | 'ready'): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${port}/health/${path}`);
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  const becomes = (app: TestApp, status: number): Promise<Answer> =>
    waitFor(`readiness ${status}`, async () => {
      const answer = await ask(app, 'ready');
      return answer.status === status && answer;
    });

  it('is up on one process', async () => {
    const app = await startWithHealth(memoryAdapter());
    expect(await ask(app, 'live')).toMatchObject({ status: 200, body: { details: { realtime: { status: 'up', state: 'running', adapter: 'memory' } } } });
    expect(await ask(app, 'ready')).toMatchObject({ status: 200, body: { details: { sockets: { status: 'up' } } } });
  });

  it('is not ready while Redis is paused or away, lives on, and is ready again by itself', async () => {
    const redis = cleanup(await RedisServer.start());
    const app = await startWithHealth(redisAdapter({ url: redis.url, ...BRISK }));
    await becomes(app, 200);

    redis.pause();
    const { body } = await becomes(app, 503);
    expect(body.details.sockets).toMatchObject({ status: 'down', state: 'running', adapter: 'redis', message: expect.any(String) });
    expect((await ask(app, 'live')).status).toBe(200);
    redis.resume();
    await becomes(app, 200);

    await redis.kill();
    const { body: away } = await becomes(app, 503);
    expect(away.details.sockets?.message).toContain(`127.0.0.1:${redis.port}`);
    expect((await ask(app, 'live')).status).toBe(200);
    await redis.restart();
    await becomes(app, 200);
  });

  it('is not ready once the hub shuts down', async () => {
    const app = await startWithHealth(memoryAdapter());
    const client = await TestClient.connect(`${app.url}/ws`);
    const shutdown = app.hub.shutdown();
    expect(app.hub.status()).toMatchObject({ state: 'draining', ready: false, reason: 'the hub is draining' });
    expect(await ask(app, 'ready')).toMatchObject({ status: 503, body: { details: { sockets: { status: 'down' } } } });
    await Promise.all([shutdown, client.closed]);
    expect(app.hub.status()).toMatchObject({ state: 'closed', ready: false, reason: 'the hub is closed' });
  });
});
