import { ChildApp } from '../../support/child-app';
import { PLATFORMS } from '../../support/create-app';
import { RawSocket } from '../../support/raw-socket';
import { RedisServer } from '../../support/redis-server';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

describe.each(PLATFORMS)('SIGTERM over %s', (platform) => {
  let child: ChildApp;
  afterEach(() => child.kill());

  const start = async (signalHandler: 'nest' | 'own', ...redisUrl: string[]): Promise<string> => {
    child = ChildApp.start('shutdown-app', platform, signalHandler, ...redisUrl);
    return `ws://127.0.0.1:${await child.port()}/ws`;
  };

  it('CHECKLIST 46: drains, closes with 1001, and the process ends by itself with no handle left', async () => {
    const url = await start('own');
    const port = Number(new URL(url).port);
    const clients = [await TestClient.connect(url), await TestClient.connect(`${url}/lobby`)];
    await clients[0]!.subscribe('news', { replay: 1 });
    const stalled = await TestClient.connect(url);
    stalled.socket.pause();
    const silent = await RawSocket.open(port);
    silent.upgrade('/ws');
    await silent.response();
    const undecided = await RawSocket.open(port);
    undecided.upgrade('/ws', { 'X-Wait': 'yes' });
    await waitFor('the guard', () => child.output.includes('asked'));

    child.signal('SIGTERM');
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 1001, reason: 'server shutting down' });
      const last = client.frames.at(-1);
      expect(last).toMatchObject({ type: 'draining', data: { reconnectAfter: expect.any(Number) } });
      expect(last!.data.reconnectAfter).toBeLessThanOrEqual(5_000);
    }
    expect((await undecided.response()).status).toBe(503);
    // No client does anything to help the ones that never answer.
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const { lines } = child;
    expect(lines.filter((line) => line === 'disconnected 1001')).toHaveLength(4);
    expect(lines.slice(-2)).toEqual(['stopped by undefined', 'closed']);
    stalled.socket.terminate();
  });

  it('CHECKLIST 46: with enableShutdownHooks ends the process by the signal, after all hooks', async () => {
    const url = await start('nest');
    const client = await TestClient.connect(url);
    child.signal('SIGTERM');
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await child.ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(child.lines.slice(-2)).toEqual(['disconnected 1001', 'stopped by SIGTERM']);
    await expect(TestClient.connect(url)).rejects.toThrow('ECONNREFUSED');
  });

  it('CHECKLIST 46: closes its connections to Redis too, and nothing of them keeps the process', async () => {
    const redis = await RedisServer.start();
    const others = async (): Promise<number> =>
      redis.use(async (admin) => String(await admin.call('CLIENT', 'LIST')).split('\n').filter((line) => line.includes('nestjs-realtime')).length);
    const url = await start('own', redis.url);
    const client = await TestClient.connect(`${url}/lobby`);
    await client.next('subscribed');
    expect(await others()).toBe(2);
    child.signal('SIGTERM');
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.lines.slice(-3)).toEqual(['disconnected 1001', 'stopped by undefined', 'closed']);
    expect(await waitFor('Redis to have closed them', async () => (await others()) === 0)).toBe(true);
    await redis.stop();
  });
});
