import { connectionOptions } from '../../../lib/adapter/redis/connection/connection-source';
import { Certificate } from '../../support/certificate';
import type { TestApp } from '../../support/create-app';
import { freePort, RedisServer } from '../../support/redis-server';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs, useCleanup } from '../adapter/redis-nodes';
import { connectAs, connectionsOf, KEPT, PLAIN, startInstance } from './cluster-kit';

silenceLogs();
const cleanup = useCleanup();

/** What is published on one instance comes to a client of the other. */
async function expectToMeet(apps: readonly TestApp[]): Promise<void> {
  const client = await connectAs(apps[1]!, 'alice');
  for (const channel of [PLAIN, KEPT]) {
    await client.subscribe(channel);
    expect(await apps[0]!.hub.publish(channel, channel, { type: 'news' })).toMatchObject({ delivered: 'cluster' });
    expect((await client.next('news')).data).toBe(channel);
  }
  await client.close();
}

describe('the start of an application with Redis', () => {
  it('CHECKLIST 36: fails at once, and says why without the password, when Redis is configured and not there', async () => {
    const port = await freePort();
    const starting = startInstance({ url: `redis://user:secret@127.0.0.1:${port}/0` });
    await expect(starting).rejects.toMatchObject({ name: 'RedisUnreachableError', endpoint: `redis://127.0.0.1:${port}/0` });
    await expect(starting).rejects.not.toThrow('secret');
  });

  it('CHECKLIST 36: goes on without it with lazy: true, is not ready, and finds it later', async () => {
    const port = await freePort();
    const app = await startInstance({ url: `redis://127.0.0.1:${port}`, ...BRISK, lazy: true });
    cleanup({ stop: () => app.close() });
    expect(app.hub.status()).toMatchObject({ state: 'running', ready: false, reason: expect.stringContaining('no connection') });
    cleanup(await RedisServer.start({ port }));
    expect(await waitFor('readiness', () => app.hub.status().ready)).toBe(true);
  });

  it('CHECKLIST 36: speaks TLS, with the user and password of an ACL, to the end', async () => {
    const certificate = cleanup(await Certificate.create());
    const tlsPort = await freePort();
    const files = ['--tls-cert-file', certificate.file, '--tls-key-file', certificate.keyFile, '--tls-ca-cert-file', certificate.file];
    const redis = cleanup(await RedisServer.start({ args: ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files] }));
    await redis.use((client) => client.call('ACL', 'SETUSER', 'ann', 'on', '>word', '~shop:*', '&shop:*', '+@all'));
    const url = `rediss://ann:word@127.0.0.1:${tlsPort}`;

    await expect(startInstance({ url, prefix: 'shop' })).rejects.toThrow(/self.signed/i);
    const options = { tls: { ca: certificate.pem } };
    await expect(startInstance({ url: url.replace('word', 'wrong'), options, prefix: 'shop' })).rejects.toThrow('WRONGPASS');
    await expect(startInstance({ url, options, prefix: 'other' })).rejects.toThrow(/NOPERM|permission/i);
    const apps = await Promise.all([1, 2].map(() => startInstance({ url, options, prefix: 'shop', ...BRISK })));
    for (const app of apps) cleanup({ stop: () => app.close() });
    await expectToMeet(apps);
    const users = await redis.use(async (client) => String(await client.call('CLIENT', 'LIST')).split('\n').filter((line) => line.includes('user=ann')).length);
    expect(users).toBe(4);
  });

  it('CHECKLIST 36: keeps to its database and its prefix', async () => {
    const redis = cleanup(await RedisServer.start({ args: ['--requirepass', 'secret'] }));
    const url = `redis://:secret@127.0.0.1:${redis.port}/5`;
    const apps = await Promise.all([1, 2].map(() => startInstance({ url, prefix: 'shop', ...BRISK })));
    for (const app of apps) cleanup({ stop: () => app.close() });
    await expectToMeet(apps);
    const client = redis.client({ password: 'secret', db: 5 });
    cleanup({ stop: async () => client.disconnect() });
    const keys = await client.keys('*');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith('shop:'))).toEqual([]);
    await client.select(0);
    expect(await client.dbsize()).toBe(0);
  });
});

describe('the end of an application with Redis', () => {
  it('CHECKLIST 36: leaves no connection, no subscription and no member behind', async () => {
    const redis = cleanup(await RedisServer.start());
    const app = await startInstance({ url: redis.url, ...BRISK });
    const client = await connectAs(app, 'alice');
    await Promise.all([client.subscribe(KEPT), client.subscribe('room:x')]);
    expect(await connectionsOf(redis)).toBe(2);
    await app.close();
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await waitFor('no connection', async () => (await connectionsOf(redis)) === 0)).toBe(true);
    expect(await redis.use((admin) => admin.pubsub('CHANNELS'))).toEqual([]);
    // Nobody is left in the presence, nor in the register of instances.
    expect((await redis.use((admin) => admin.keys('*'))).filter((key) => !key.includes(KEPT))).toEqual([]);
    expect(app.hub.status()).toMatchObject({ state: 'closed', ready: false });
  });
});

describe('reconnecting', () => {
  it('CHECKLIST 34: waits 1 s first and doubles that up to 30 s, spread over the upper half', () => {
    const { retryStrategy } = connectionOptions('commands', { initialDelay: 1000, maxDelay: 30_000 }, 10_000) as {
      retryStrategy: (attempt: number) => number;
    };
    const longest = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (let run = 0; run < 200; run++) {
      const delays = longest.map((_delay, i) => retryStrategy(i + 1));
      expect(delays.filter((delay, i) => delay > longest[i]! || delay < longest[i]! / 2)).toEqual([]);
    }
    expect(new Set(Array.from({ length: 50 }, () => retryStrategy(1))).size).toBeGreaterThan(1);
    expect(retryStrategy(1_000_000)).toBeLessThanOrEqual(30_000);
  });
});
