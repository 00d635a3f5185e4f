import { AdapterUnavailableError, HubBusyError } from '../../../lib/adapter/adapter.errors';
import type { HistorySettings } from '../../../lib/adapter/hub-adapter';
import { RedisServer } from '../../support/redis-server';
import { TcpProxy } from '../../support/tcp-proxy';
import { waitFor } from '../../support/wait-for';
import type { AdapterNode } from '../adapter/adapter-conformance';
import { BRISK, passes, payloadOf, received, silenceLogs, startNode } from '../adapter/redis-nodes';

const HISTORY: HistorySettings = { size: 100, ttl: 60_000 };
const PLAIN = 'plain';
const KEPT = 'kept';

silenceLogs();

/** A node that reaches Redis directly, and one that does through a proxy; both follow both channels. */
describe('when Redis or the way to it fails', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let direct: AdapterNode;
  let proxied: AdapterNode;

  const append = (data: unknown, node = direct) => node.adapter.append({ channel: KEPT, payload: payloadOf(data) }, HISTORY);

  beforeEach(async () => {
    redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    proxy = await TcpProxy.start(redis.port);
    direct = await startNode({ url: redis.url, ...BRISK });
    proxied = await startNode({ url: proxy.url, ...BRISK });
    for (const { adapter } of [direct, proxied]) {
      await Promise.all([adapter.subscribe(PLAIN), adapter.subscribe(KEPT)]);
      await adapter.read(KEPT, { last: 0 }, HISTORY);
    }
  });

  afterEach(async () => {
    proxy.heal();
    redis.resume();
    await Promise.all([direct.adapter.stop(), proxied.adapter.stop()]);
    await proxy.stop();
    await redis.stop();
  });

  /** Both nodes hear each other again, and have the same, in order, once. */
  async function expectWhole(expected: readonly unknown[]): Promise<void> {
    await waitFor('publications to pass in both directions', async () => {
      return (await passes(direct.adapter, proxied, PLAIN)) && (await passes(proxied.adapter, direct, PLAIN));
    });
    await waitFor('the history to arrive', () => [direct, proxied].every((node) => received(node, KEPT).length >= expected.length));
    for (const node of [direct, proxied]) expect(received(node, KEPT)).toEqual(expected);
    await waitFor('health', () => direct.adapter.status().ready && proxied.adapter.status().ready);
  }

  it('fetches what was published while it was cut off, and nobody is disturbed', async () => {
    await append(1);
    await waitFor('the first', () => received(proxied, KEPT).length === 1);
    proxy.cut({ refuse: true });
    await waitFor('the loss to be noticed', () => !proxied.adapter.status().ready);
    for (let i = 2; i <= 50; i++) await append(i);
    proxy.heal();
    await expectWhole(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(proxied.receiver.lost).toEqual([]);
    expect(proxied.adapter.status().figures.caughtUp).toBe(49);
  });

  it('says that continuity is lost when the history does not reach back far enough', async () => {
    await append(1);
    await waitFor('the first', () => received(proxied, KEPT).length === 1);
    proxy.cut({ refuse: true });
    for (let i = 2; i <= 5; i++) await direct.adapter.append({ channel: KEPT, payload: payloadOf(i) }, { size: 2, ttl: 60_000 });
    proxy.heal();
    await waitFor('the loss to be told', () => proxied.receiver.lost.length > 0);
    await append(6);
    await waitFor('the next', () => received(proxied, KEPT).includes(6));
    expect(proxied.receiver.lost).toMatchObject([{ channel: KEPT, position: { offset: 5 } }]);
    expect(received(proxied, KEPT)).toEqual([1, 6]);
    expect(direct.receiver.lost).toEqual([]);
  });

  it('tells the publisher what became of a publication while Redis is down, and goes on by itself when it is back', async () => {
    await append(1);
    await redis.kill();
    expect(await direct.adapter.publish({ channel: PLAIN, payload: payloadOf('lost') })).toBe('local');
    await expect(append('refused')).rejects.toThrow(AdapterUnavailableError);
    await expect(append('refused')).rejects.toMatchObject({ outcome: 'not_sent', code: 'unavailable' });
    await expect(direct.adapter.read(KEPT, { last: 1 }, HISTORY)).rejects.toThrow(AdapterUnavailableError);
    expect(direct.adapter.status()).toMatchObject({ ready: false, reason: expect.stringContaining('no connection to Redis') });
    await redis.restart();
    await waitFor('the history to take publications again', () => append(2).then(() => true, () => false));
    await expectWhole([1, 2]);
    expect(received(proxied, PLAIN)).not.toContain('lost');
    expect(direct.receiver.lost).toEqual([]);
  });

  it('says that continuity is lost when Redis comes back empty', async () => {
    const { position } = await append(1);
    await waitFor('the first', () => received(proxied, KEPT).length === 1);
    await redis.use((client) => client.flushall());
    await waitFor('both to be told', () => [direct, proxied].every(({ receiver }) => receiver.lost.length > 0));
    expect(await direct.adapter.read(KEPT, { after: position }, HISTORY)).toMatchObject({ recovered: false, publications: [] });
    await append(2);
    await expectWhole([1, 2]);
    for (const { receiver } of [direct, proxied]) expect(receiver.lost).toHaveLength(1);
  });

  it('gives up in time while Redis is paused, and delivers nothing twice afterwards', async () => {
    await append(1);
    redis.pause();
    expect(await direct.adapter.publish({ channel: PLAIN, payload: payloadOf('ambiguous') })).toBe('local');
    await expect(append('ambiguous')).rejects.toMatchObject({ outcome: 'unknown' });
    redis.resume();
    await waitFor('the history to take publications again', () => append(2).then(() => true, () => false));
    await waitFor('both to have it', () => [direct, proxied].every((node) => received(node, KEPT).includes(2)));
    for (const node of [direct, proxied]) {
      const got = received(node, KEPT);
      expect(new Set(got).size).toBe(got.length);
      expect(received(node, PLAIN).filter((data) => data === 'ambiguous').length).toBeLessThanOrEqual(1);
    }
    await expectWhole(received(direct, KEPT));
    expect(direct.receiver.lost).toEqual([]);
  });

  it.each(['toClient', 'toServer'] as const)('finds out that a connection which stays open loses everything %s', async (direction) => {
    await append(1);
    await waitFor('the first', () => received(proxied, KEPT).length === 1);
    proxy.swallow(direction);
    await append(2);
    await waitFor('the loss to be noticed', () => !proxied.adapter.status().ready);
    await append(3);
    proxy.heal();
    await expectWhole([1, 2, 3]);
    expect(proxied.receiver.lost).toEqual([]);
  });

  it('reads again what was asked when the connection broke', async () => {
    const { position } = await append(1);
    await append(2);
    redis.pause();
    const reading = proxied.adapter.read(KEPT, { after: position }, HISTORY);
    proxy.cut();
    redis.resume();
    const { recovered, publications } = await reading;
    expect([recovered, publications.length]).toEqual([true, 1]);
  });

  it('refuses what is under way when it is stopped', async () => {
    redis.pause();
    const reading = proxied.adapter.read(KEPT, { last: 1 }, HISTORY).catch(String);
    await proxied.adapter.stop();
    expect(await reading).toContain('the adapter was stopped');
  });

  it('keeps its order on a slow way', async () => {
    proxy.slow(50);
    const expected = Array.from({ length: 30 }, (_, i) => i);
    await Promise.all(expected.map((i) => append(i, i % 2 === 0 ? direct : proxied)));
    await waitFor('all of them', () => [direct, proxied].every((node) => received(node, KEPT).length === 30));
    expect(received(proxied, KEPT)).toEqual(received(direct, KEPT));
    expect(received(direct, KEPT).toSorted((a, b) => Number(a) - Number(b))).toEqual(expected);
    expect(proxied.receiver.lost).toEqual([]);
  });

  it('keeps to its two connections through all of this', async () => {
    const count = (): Promise<number> =>
      redis.use(async (client) => String(await client.call('CLIENT', 'LIST')).split('\n').filter((line) => line.includes('nestjs-realtime')).length);
    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await waitFor('the connections', () => proxied.adapter.status().ready);
    }
    expect(await waitFor('old connections to go', async () => (await count()) === 4)).toBe(true);
    expect(direct.adapter.status().figures.connections).toBe(2);
  });
});

describe('when more is published than Redis takes', () => {
  it('refuses what would not fit into the queue, says so to the hook, and recovers', async () => {
    const redis = await RedisServer.start();
    const refused: HubBusyError[] = [];
    const options = { ...BRISK, queueSize: 10, onBusy: (error: HubBusyError) => void refused.push(error) };
    const { adapter } = await startNode({ url: redis.url, ...options });
    redis.pause();
    const publish = (i: number) => adapter.publish({ channel: PLAIN, payload: payloadOf(i) });
    const results = await Promise.allSettled(Array.from({ length: 15 }, (_, i) => publish(i)));
    expect(results.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => ({ status: 'fulfilled', value: 'local' })));
    for (const result of results.slice(10)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'HubBusyError', code: 'unavailable', waiting: 10 } });
    }
    expect(refused).toHaveLength(5);
    expect(refused[0]).toBeInstanceOf(HubBusyError);
    redis.resume();
    await waitFor('the way to be free', async () => (await publish(0).catch(() => 'local')) === 'cluster');
    expect(adapter.status().figures).toMatchObject({ waiting: 0, waitingBytes: 0, busy: expect.any(Number) });
    await adapter.stop();
    await redis.stop();
  });

  it('counts bytes too', async () => {
    const redis = await RedisServer.start();
    const { adapter } = await startNode({ url: redis.url, ...BRISK, queueBytes: 1000 });
    const payload = payloadOf('x'.repeat(600));
    const first = adapter.publish({ channel: PLAIN, payload });
    await expect(adapter.publish({ channel: PLAIN, payload })).rejects.toThrow(HubBusyError);
    expect(await first).toBe('cluster');
    expect(await adapter.publish({ channel: PLAIN, payload })).toBe('cluster');
    await adapter.stop();
    await redis.stop();
  });
});
