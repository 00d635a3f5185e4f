import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { AdapterUnavailableError, HubBusyError, SubscribeChannel } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { RedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs } from '../adapter/redis-nodes';
import { Audience, connectionsOf, KEPT, PLAIN, startInstance, WELL } from './cluster-kit';

@Injectable()
class Speech {
  @SubscribeChannel('kept:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

silenceLogs();

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

/** One instance that reaches Redis directly, and one through a proxy. */
describe('when Redis or the way to it fails, under clients that stay connected', () => {
  const refused: HubBusyError[] = [];
  let redis: RedisServer;
  let proxy: TcpProxy;
  let apps: [TestApp, TestApp];
  let audience: Audience;
  let connections: number;

  beforeEach(async () => {
    redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    proxy = await TcpProxy.start(redis.port);
    refused.length = 0;
    const options = { ...BRISK, commandTimeout: 2000, queueSize: 50, onBusy: (error: HubBusyError) => void refused.push(error) };
    const extra = { providers: [Speech] };
    apps = [await startInstance({ url: redis.url, ...options }, extra), await startInstance({ url: proxy.url, ...options }, extra)];
    audience = await Audience.on(apps);
    await audience.flows();
    connections = await connectionsOf(redis);
  });
  afterEach(async () => {
    proxy.heal();
    redis.resume();
    await audience.close();
    await Promise.all(apps.map((app) => app.close()));
    await proxy.stop();
    await redis.stop();
  });

  const ready = (): boolean => apps.every((app) => app.hub.status().ready);
  const unready = (app: TestApp): Promise<boolean> => waitFor('the loss to be noticed', () => !app.hub.status().ready);

  /** What is asked after each of them. */
  async function outcome(): Promise<object> {
    await audience.flows();
    await waitFor('readiness', ready);
    const figures = apps.map((app) => app.hub.status().adapter.figures);
    await waitFor('as many connections as before', async () => (await connectionsOf(redis)) === connections);
    return {
      ...(await audience.judge()),
      waiting: figures.map(({ waiting, waitingBytes }) => [waiting, waitingBytes]),
      connections: await connectionsOf(redis),
      unhandled,
    };
  }
  const well = (): object => ({ ...WELL, waiting: [[0, 0], [0, 0]], connections, unhandled: [] });

  it('CHECKLIST 34: Redis is killed and started again: everything held is subscribed to again', async () => {
    await redis.kill();
    await unready(apps[0]);
    await unready(apps[1]);
    await redis.restart();
    expect(await outcome()).toEqual(well());
  });

  it('CHECKLIST 33: Redis is away: the publisher is told, and own clients are served once', async () => {
    await redis.kill();
    const { id, delivered } = await audience.publish(apps[0], PLAIN);
    expect(delivered).toBe('local');
    await waitFor('the own client', () => Audience.received(audience.clients[0]!, PLAIN).includes(id));
    const { hub } = apps[0];
    await Promise.all([
      expect(hub.publish(KEPT, 'refused')).rejects.toMatchObject({ name: 'AdapterUnavailableError', outcome: 'not_sent', code: 'unavailable' }),
      expect(hub.clusterStats()).rejects.toThrow(AdapterUnavailableError),
      expect(hub.broadcast('all')).resolves.toEqual({ delivered: 'local' }),
      expect(hub.sendToUser('alice', 'mine')).resolves.toEqual({ delivered: 'local' }),
    ]);
    const reply = await audience.clients[0]!.request({ type: 'say', channel: KEPT, data: 'refused' });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'unavailable' } });
    await redis.restart();
    expect(await outcome()).toEqual(well());
    expect(Audience.received(audience.clients[1]!, PLAIN)).not.toContain(id);
  });

  it('CHECKLIST 33: Redis is paused: publishing gives up in time, and what may have been sent is not sent again', async () => {
    redis.pause();
    const startedAt = performance.now();
    const { id, delivered } = await audience.publish(apps[0], PLAIN);
    expect(delivered).toBe('local');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(BRISK.publishTimeout - 20);
    await expect(apps[1].hub.publish(KEPT, 'ambiguous', { type: 'unsure' })).rejects.toMatchObject({ outcome: 'unknown' });
    expect(Audience.received(audience.clients[0]!, PLAIN)).toContain(id);
    await unready(apps[0]);
    redis.resume();
    expect(await outcome()).toEqual(well());
    for (const client of audience.clients) expect(client.ofType('unsure').length).toBeLessThanOrEqual(1);
  });

  it.each(['toClient', 'toServer'] as const)('a connection stays open and loses everything %s', async (direction) => {
    proxy.swallow(direction);
    await unready(apps[1]);
    await audience.publish(apps[0], KEPT);
    proxy.heal();
    expect(await outcome()).toEqual(well());
  });

  it('one instance is cut off, and gets what it missed', async () => {
    proxy.cut({ refuse: true });
    await unready(apps[1]);
    for (let i = 0; i < 20; i++) await audience.publish(apps[0], KEPT);
    proxy.heal();
    expect(await outcome()).toEqual(well());
  });

  it('Redis is slow: nothing overtakes', async () => {
    proxy.slow(50);
    await Promise.all(Array.from({ length: 20 }, (_, i) => audience.publish(apps[i % 2]!, KEPT)));
    expect(await outcome()).toEqual(well());
  });

  it('Redis is too slow for what is published: the rest is refused, to clients too, and goes through later', async () => {
    redis.pause();
    const publishing = Promise.allSettled(Array.from({ length: 60 }, (_, i) => apps[0].hub.publish('plain:elsewhere', i)));
    const reply = await audience.clients[0]!.request({ type: 'say', channel: KEPT, data: 'too much' });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'unavailable' } });
    const results = await publishing;
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(results.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => ({ status: 'fulfilled', value: { delivered: 'local' } })));
    expect(reasons).toHaveLength(10);
    for (const reason of reasons) expect(reason).toMatchObject({ name: 'HubBusyError', code: 'unavailable', waiting: 50 });
    expect(refused.length).toBeGreaterThanOrEqual(11);
    redis.resume();
    expect(await outcome()).toEqual(well());
  });
});
