import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { TestApp } from '../../support/create-app';
import { RedisServer } from '../../support/redis-server';
import type { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs } from '../adapter/redis-nodes';
import { connectAs, KEPT, PLAIN, startInstance } from './cluster-kit';

silenceLogs();

const sourceId = createHash('md5').update('somebody else').digest('hex');
const envelope = (message: unknown): string => JSON.stringify({ sourceId, message });

describe('what others publish in Redis', () => {
  let redis: RedisServer;
  let foreign: Redis;
  let app: TestApp;
  let client: TestClient;
  const figures = (): Readonly<Record<string, number>> => app.hub.status().adapter.figures;

  beforeAll(async () => {
    redis = await RedisServer.start();
    foreign = redis.client();
    app = await startInstance({ url: redis.url, ...BRISK, maxMessageBytes: 2000 });
    client = await connectAs(app, 'alice');
    await Promise.all([client.subscribe(PLAIN), client.subscribe(KEPT)]);
  });
  afterAll(async () => {
    await client.close();
    foreign.disconnect();
    await app.close();
    await redis.stop();
  });

  it('CHECKLIST 35: reaches clients in a hand-written envelope, its timestamp kept', async () => {
    const message = { type: 'legacy', data: { text: 'hé' }, timestamp: '2020-01-01T00:00:00.000Z' };
    await foreign.publish('realtime:channel:plain:x', `{ "sourceId" : "${sourceId}",\n "message" : ${JSON.stringify(message)} }`);
    expect(await client.next('legacy')).toEqual({ ...message, channel: PLAIN });
    await foreign.publish('realtime:broadcast', envelope({ type: 'for all', data: 1, timestamp: message.timestamp }));
    expect(await client.next('for all')).toEqual({ type: 'for all', data: 1, timestamp: message.timestamp });
  });

  it('CHECKLIST 35: is skipped and counted where it is malformed or too large, and nobody is harmed', async () => {
    const before = figures();
    const garbage = [
      '', 'garbage', '{', '[]', 'null', '42', '"text"', '{}', '{"sourceId":1}', `{"sourceId":"${sourceId}"}`, envelope(null), envelope([]), envelope('text'),
      envelope({}), envelope({ type: 7 }), `{"sourceId":"short","message":{"type":"x"}}`, envelope({ type: 'x' }).slice(0, -1), `${envelope({ type: 'x' })}}`,
    ];
    const channels = ['realtime:channel:plain:x', 'realtime:channel:kept:x', 'realtime:broadcast', 'realtime:control'];
    for (const channel of channels) for (const text of garbage) await foreign.publish(channel, text);
    for (const channel of channels) await foreign.publish(channel, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    const large = envelope({ type: 'x', data: 'x'.repeat(30_000) });
    for (const channel of channels) await foreign.publish(channel, large);
    await foreign.publish('realtime:channel:plain:x', envelope({ type: 'good' }));
    await client.next('good');
    expect(await client.settled()).toEqual(client.frames.filter(({ type }) => type === 'subscribed'));
    const after = figures();
    expect(after.malformed! - before.malformed!).toBe(channels.length * (garbage.length + 1));
    expect(after.oversized! - before.oversized!).toBe(channels.length);
  });

  it('gives no cursor, no other channel, and no command that could not be sent', async () => {
    await foreign.publish('realtime:channel:plain:x', envelope({ type: 'forged', channel: 'elsewhere', cursor: 'a-1-b', timestamp: 't' }));
    expect(await client.next('forged')).toEqual({ type: 'forged', channel: PLAIN, timestamp: 't' });
    const command = (fields: object): Promise<number> => foreign.publish('realtime:control', envelope({ target: { userId: 'alice' }, ...fields }));
    await command({ kind: 'disconnect', code: 1005, reason: '' });
    await command({ kind: 'disconnect', code: 4503, reason: 'x'.repeat(200) });
    await command({ kind: 'subscribe', channel: 'not a name' });
    await command({ kind: 'explode' });
    await command({ kind: 'send', payload: '{"type":"sent"}' });
    expect((await client.next('sent')).type).toBe('sent');
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('leaves the instance able to publish and to be heard', async () => {
    await app.hub.publish(KEPT, 1, { type: 'own' });
    expect((await client.next('own')).data).toBe(1);
    expect(app.hub.status().ready).toBe(true);
  });
});

describe('names in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await RedisServer.start()));
  afterAll(() => redis.stop());

  const listened = (): Promise<string[]> =>
    redis.use(async (client) => ((await client.pubsub('CHANNELS')) as string[]).filter((name) => !name.includes(':probe:')).toSorted());

  it('CHECKLIST 31: are {prefix}:broadcast and {prefix}:channel:{name}, for channels with subscribers only', async () => {
    const app = await startInstance({ url: redis.url, ...BRISK, linger: 0, prefix: 'shop' });
    const client = await connectAs(app, 'alice');
    expect(await listened()).toEqual(['shop:broadcast', 'shop:control']);
    await client.subscribe(PLAIN);
    expect(await listened()).toEqual(['shop:broadcast', 'shop:channel:plain:x', 'shop:control']);
    await client.close();
    await waitFor('the channel to go', async () => (await listened()).length === 2);
    await app.close();
    expect(await waitFor('nobody to listen', async () => (await listened()).length === 0)).toBe(true);
  });

  it('CHECKLIST 31: are realtime:global and realtime:room:{name} with the naming of rooms', async () => {
    const apps = await Promise.all([1, 2].map(() => startInstance({ url: redis.url, ...BRISK, naming: 'rooms' })));
    const clients = await Promise.all(apps.map((app) => connectAs(app, 'alice')));
    await Promise.all(clients.map((client) => client.subscribe('room:lobby')));
    expect(await listened()).toEqual(['realtime:control', 'realtime:global', 'realtime:room:lobby']);
    await redis.use((foreign) => foreign.publish('realtime:room:lobby', envelope({ type: 'hi', data: 1 })));
    await redis.use((foreign) => foreign.publish('realtime:global', envelope({ type: 'hi all', data: 2 })));
    await apps[0]!.hub.publish('room:lobby', 3, { type: 'own' });
    for (const client of clients) {
      expect((await client.next('hi')).channel).toBe('room:lobby');
      expect((await client.next('hi all')).data).toBe(2);
      expect((await client.next('own')).data).toBe(3);
    }
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(apps.map((app) => app.close()));
  });

  it('CHECKLIST 3: are none with an empty or absent URL: one process, no connection', async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await waitFor('the sockets of other tests to go', () => sockets() === 0);
    for (const url of ['', undefined]) {
      const app = await startInstance({ url });
      expect(app.hub.status()).toMatchObject({ ready: true, adapter: { name: 'memory' } });
      expect(sockets()).toBe(0);
      const client = await connectAs(app, 'alice');
      await client.subscribe(KEPT);
      expect(await app.hub.publish(KEPT, 1, { type: 'own' })).toMatchObject({ delivered: 'cluster' });
      expect((await client.next('own')).data).toBe(1);
      await client.close();
      await app.close();
    }
  });
});
