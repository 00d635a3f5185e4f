import { Redis } from 'ioredis';
import { redisAdapter } from '../../../lib/adapter/redis/redis-adapter.factory';
import { freePort, RedisServer } from '../../support/redis-server';
import { waitFor } from '../../support/wait-for';
import { BRISK, createNode, passes, silenceLogs, startNode, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const cleanup = useCleanup();

describe('the start', () => {
  it('fails with an error that names the address, not the password, when Redis is not there', async () => {
    const port = await freePort();
    const starting = startNode({ url: `redis://user:secret@127.0.0.1:${port}/0` });
    await expect(starting).rejects.toMatchObject({ name: 'RedisUnreachableError', endpoint: `redis://127.0.0.1:${port}/0` });
    await expect(starting).rejects.toThrow('ECONNREFUSED');
    await expect(starting).rejects.not.toThrow('secret');
  });

  it('fails when the Sentinels are not there, or do not answer', async () => {
    const sentinels = { nodes: [{ host: '127.0.0.1', port: await freePort() }], name: 'mymaster' };
    await expect(startNode({ sentinels })).rejects.toThrow('mymaster of the Sentinels');
  });

  it('fails with a wrong password, and passes with a right one and a user of an ACL', async () => {
    const redis = cleanup(await RedisServer.start({ args: ['--requirepass', 'secret'] }));
    await expect(startNode({ url: redis.url })).rejects.toThrow('cannot be used');
    await expect(startNode({ url: redis.url, options: { password: 'wrong' } })).rejects.toThrow('WRONGPASS');
    const node = await startNode({ url: redis.url, options: { password: 'secret' } });
    cleanup(node.adapter);
    const rules = ['on', '>word', '~realtime:*', '&realtime:*', '+@all'];
    const admin = redis.client({ password: 'secret' });
    cleanup({ stop: async () => admin.disconnect() });
    await admin.acl('SETUSER', 'ann', ...rules);
    const limited = await startNode({ url: `redis://ann:word@127.0.0.1:${redis.port}` });
    cleanup(limited.adapter);
    await limited.adapter.subscribe('a');
    await waitFor('publications', () => passes(node.adapter, limited, 'a'));
  });

  it('goes on without Redis when it may, and finds it later', async () => {
    const port = await freePort();
    const node = await startNode({ url: `redis://127.0.0.1:${port}`, ...BRISK, lazy: true, commandTimeout: 30_000 });
    cleanup(node.adapter);
    expect(node.adapter.status()).toMatchObject({ ready: false, reason: expect.stringContaining('no connection') });
    const subscribed = node.adapter.subscribe('a');
    cleanup(await RedisServer.start({ port }));
    await subscribed;
    const other = await startNode({ url: `redis://127.0.0.1:${port}` });
    cleanup(other.adapter);
    await waitFor('publications', () => passes(other.adapter, node, 'a'));
    await waitFor('health', () => node.adapter.status().ready);
  });

  it('uses a copy of an application client, and leaves the client as it is', async () => {
    const redis = cleanup(await RedisServer.start());
    const client = new Redis({ port: redis.port, host: '127.0.0.1', keyPrefix: 'app:', db: 3 });
    cleanup({ stop: async () => client.disconnect() });
    for (const options of [{ client }, { useExisting: 'REDIS' }]) {
      const node = await startNode(options, (token) => (token === 'REDIS' ? client : undefined));
      await node.adapter.claim('key', 1000);
      expect(await client.keys('*')).toContain('realtime:once:key');
      await node.adapter.stop();
      await redis.use((all) => all.flushall());
    }
    expect(client.status).toBe('ready');
    expect(await client.set('a', 1)).toBe('OK');
  });

  it('needs no Redis where no URL is given', async () => {
    for (const options of [{}, { url: '' }, { url: undefined, options: { password: 'x' } }]) {
      const { adapter } = createNode(options);
      expect(adapter.name).toBe('memory');
    }
    expect(redisAdapter({ options: { host: '127.0.0.1' } }).create({ instanceId: '0'.repeat(32), resolve: () => undefined as never }).name).toBe('redis');
  });

  it('can be stopped before it was started, and in the middle of an outage', async () => {
    const redis = cleanup(await RedisServer.start());
    await createNode({ url: redis.url }).adapter.stop();
    const { adapter } = await startNode({ url: redis.url, ...BRISK });
    redis.pause();
    const publishing = adapter.publish({ channel: 'a', payload: Buffer.from('{"type":"m"}') });
    await adapter.stop();
    expect(await publishing).toBe('local');
    redis.resume();
  });
});
