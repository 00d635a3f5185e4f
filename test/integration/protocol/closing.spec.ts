import { CloseCode, isFinalCloseCode } from 'nestjs-realtime';
import { createApp as start, PLATFORMS } from '../../support/create-app';
import { refusal, TestClient } from '../../support/test-client';
import { testApps } from '../../support/test-apps';

describe.each(PLATFORMS)('closing, over %s', (platform) => {
  const createApp = testApps(platform);

  it('of the server: everyone is told when to come back, then closed with 1001', async () => {
    const app = await start({ platform, realtime: { channels: { '*': {} }, shutdown: { reconnectSpread: 3000 } } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => TestClient.connect(`${app.url}/ws`)));
    await app.close();
    const delays: number[] = [];
    for (const client of clients) {
      expect((await client.closed).code).toBe(CloseCode.GoingAway);
      expect(client.frames).toEqual([{ type: 'draining', data: { reconnectAfter: expect.any(Number) }, timestamp: expect.any(String) }]);
      delays.push(client.frames[0]!.data.reconnectAfter);
    }
    // Spread, so that they do not come back at once.
    expect(new Set(delays).size).toBeGreaterThan(10);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(3000);
  });

  it('of the server: what was published before reaches everyone first', async () => {
    const app = await start({ platform, realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('a');
    for (let n = 0; n < 100; n++) void app.hub.publish('a', n);
    await app.close();
    await client.closed;
    expect(client.ofType('message').map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(client.frames.at(-1)!.type).toBe('draining');
  });

  it('of the hub alone: the server refuses upgrades from then on with 503', async () => {
    const app = await createApp();
    const client = await TestClient.connect(`${app.url}/ws`);
    const shutdown = app.hub.shutdown();
    expect((await refusal(`${app.url}/ws`)).status).toBe(503);
    await shutdown;
    expect((await client.closed).code).toBe(1001);
    const { status, headers } = await refusal(`${app.url}/ws`);
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([1000, 1001, 1011, 3000, 4000, 4999])('by hub.disconnect may use the code %i, and a reason', async (code) => {
    const app = await createApp();
    const client = await TestClient.connect(`${app.url}/ws`);
    await app.hub.disconnect({ connectionId: app.hub.connections()[0]!.id }, { code, reason: 'bye ü' });
    expect(await client.closed).toEqual({ code, reason: 'bye ü' });
  });

  it('by hub.disconnect is 4503 by default, which is final', async () => {
    const app = await createApp();
    const client = await TestClient.connect(`${app.url}/ws`);
    await app.hub.disconnect({ connectionId: app.hub.connections()[0]!.id });
    expect(await client.closed).toEqual({ code: 4503, reason: '' });
    expect(isFinalCloseCode(4503)).toBe(true);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1.5, Number.NaN])('by hub.disconnect refuses the code %d', async (code) => {
    const app = await createApp();
    const client = await TestClient.connect(`${app.url}/ws`);
    await expect(app.hub.disconnect({ userId: 'nobody' }, { code })).rejects.toBeInstanceOf(RangeError);
    await expect(app.hub.disconnect({ userId: 'nobody' }, { reason: 'ü'.repeat(62) })).rejects.toBeInstanceOf(RangeError);
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  it('follows what was sent before it', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('a');
    const target = { connectionId: app.hub.connections()[0]!.id };
    void app.hub.publish('a', 'last words');
    void app.hub.sendToConnection(target.connectionId, 'notice', 'you go');
    void app.hub.disconnect(target);
    await client.closed;
    expect(client.frames.slice(-2).map(({ data }) => data)).toEqual(['last words', 'you go']);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });

  it('CHECKLIST 47 (A: connect and disconnect, multiple clients, an event and the server’s close)', async () => {
    const app = await createApp({ realtime: { channels: { '*': {} } } });
    expect(app.hub.stats().clients).toBe(0);
    const clients = await Promise.all(Array.from({ length: 5 }, () => TestClient.connect(`${app.url}/ws`)));
    expect(app.hub.stats().clients).toBe(5);
    await clients[0]!.subscribe('contract');
    await app.hub.publish('contract', { contract_id: 'c1', topics: '["transfer"]' }, { type: 'event' });
    expect((await clients[0]!.next('event')).data).toEqual({ contract_id: 'c1', topics: '["transfer"]' });
    await app.hub.shutdown();
    for (const client of clients) expect((await client.closed).code).toBe(1001);
    expect(app.hub.stats().clients).toBe(0);
  });
});
