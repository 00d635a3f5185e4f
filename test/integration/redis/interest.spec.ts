import { createHash, randomBytes } from 'node:crypto';
import type { HistorySettings } from '../../../lib/adapter/hub-adapter';
import { RedisServer } from '../../support/redis-server';
import { waitFor } from '../../support/wait-for';
import type { AdapterNode } from '../adapter/adapter-conformance';
import { BRISK, payloadOf, received, silenceLogs, startNode, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const cleanup = useCleanup();

const HISTORY: HistorySettings = { size: 10, ttl: 60_000 };

let redis: RedisServer;
beforeAll(async () => void (redis = await RedisServer.start()));
afterAll(() => redis.stop());
beforeEach(() => redis.use((client) => client.flushall()));

const start = async (options: object = {}): Promise<AdapterNode> => {
  const node = await startNode({ url: redis.url, ...BRISK, ...options });
  cleanup(node.adapter);
  return node;
};

const listened = (): Promise<string[]> =>
  redis.use(async (client) => ((await client.pubsub('CHANNELS')) as string[]).filter((name) => !name.includes(':probe:')).toSorted());

describe('what an instance listens to', () => {
  it('is what it has subscribers for, under the names of the prefix, and nothing else', async () => {
    const { adapter } = await start({ linger: 0 });
    await Promise.all(['a', 'room:b'].map((channel) => adapter.subscribe(channel)));
    expect(await listened()).toEqual(['realtime:broadcast', 'realtime:channel:a', 'realtime:channel:room:b', 'realtime:control']);
    adapter.unsubscribe('a');
    await waitFor('the channel to go', async () => (await listened()).length === 3);
  });

  it('has the names of rooms, or its own, when told so', async () => {
    const { adapter } = await start({ naming: 'rooms', prefix: 'chat' });
    await Promise.all(['a', 'room:b'].map((channel) => adapter.subscribe(channel)));
    expect(await listened()).toEqual(['chat:channel:a', 'chat:control', 'chat:global', 'chat:room:b']);
    const own = await start({ naming: { broadcast: 'ALL', channel: (name: string) => `<${name}>` } });
    await own.adapter.subscribe('a');
    expect(await listened()).toEqual(expect.arrayContaining(['ALL', '<a>']));
    await own.adapter.append({ channel: 'a', payload: payloadOf(1) }, HISTORY);
    await waitFor('the publication', () => received(own, 'a').length === 1);
  });

  it('is taken in batches, and does not flap when a channel is left and taken again', async () => {
    const { adapter, receiver } = await start();
    const commands = async (): Promise<Record<string, number>> => {
      const info = await redis.use((client) => client.info('commandstats'));
      return Object.fromEntries([...info.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]));
    };
    await redis.use((client) => client.config('RESETSTAT'));
    const channels = Array.from({ length: 1000 }, (_, i) => `many:${i}`);
    await Promise.all(channels.map((channel) => adapter.subscribe(channel)));
    expect((await commands()).subscribe).toBe(2);
    for (let i = 0; i < 20; i++) {
      adapter.unsubscribe('many:1');
      await adapter.subscribe('many:1');
    }
    const after = await commands();
    expect(after.subscribe).toBe(2);
    expect(after.unsubscribe).toBeUndefined();
    const other = await start();
    await other.adapter.publish({ channel: 'many:1', payload: payloadOf('still here') });
    await waitFor('the publication', () => receiver.publications.length === 1);
  });

  it('is confirmed again when a channel is taken in the very turn of the loop in which it is given up', async () => {
    const node = await start({ linger: 1, commandTimeout: 2000 });
    await node.adapter.subscribe('room');
    node.adapter.unsubscribe('room');
    // Both timers are overdue by the time the loop gets to them, so that they run in one turn.
    const taken = new Promise((resolve) => setTimeout(resolve, 2)).then(() => node.adapter.subscribe('room'));
    const end = performance.now() + 20;
    while (performance.now() < end) continue;
    await expect(taken).resolves.toBeUndefined();
    const other = await start();
    await other.adapter.publish({ channel: 'room', payload: payloadOf(1) });
    await waitFor('the publication', () => received(node, 'room').length === 1);
  });

  it('delivers nothing of a channel that lingers', async () => {
    const node = await start({ linger: 60_000 });
    const other = await start();
    await node.adapter.subscribe('left');
    await node.adapter.subscribe('held');
    node.adapter.unsubscribe('left');
    await other.adapter.append({ channel: 'left', payload: payloadOf(1) }, HISTORY);
    await other.adapter.publish({ channel: 'left', payload: payloadOf(2) });
    await other.adapter.publish({ channel: 'held', payload: payloadOf(3) });
    await waitFor('the channel that is held', () => received(node, 'held').length === 1);
    expect(received(node, 'left')).toEqual([]);
  });

  it('is compared with the history now and then, so that the loss of a last publication is noticed', async () => {
    const node = await start();
    await node.adapter.subscribe('idle');
    await node.adapter.append({ channel: 'idle', payload: payloadOf(1) }, HISTORY);
    await waitFor('the first', () => received(node, 'idle').length === 1);
    // Into the history as the script writes it, without publishing it: a message that got lost on the way.
    await redis.use(async (client) => {
      const [stream, position] = ['realtime:history:{realtime:channel:idle}', 'realtime:position:{realtime:channel:idle}'];
      const tag = await client.hget(position, 't');
      await client.xadd(stream, '2-0', 'a', Date.now(), 'b', tag!, 't', 'unheard', 'p', payloadOf(2));
      await client.hset(position, 'o', 2, 't', 'unheard');
    });
    await waitFor('the second', () => received(node, 'idle').length === 2);
    expect(received(node, 'idle')).toEqual([1, 2]);
    expect(node.receiver.lost).toEqual([]);
    await node.adapter.append({ channel: 'idle', payload: payloadOf(3) }, HISTORY);
    await waitFor('the third', () => received(node, 'idle').length === 3);
  });
});

describe('a foreign publisher', () => {
  const sourceId = createHash('md5').update('foreign').digest('hex');
  let node: AdapterNode;
  const publish = (name: string, message: string | Buffer) => redis.use((client) => client.publish(name, message));
  const envelope = (message: unknown) => JSON.stringify({ sourceId, message });

  beforeEach(async () => {
    node = await start({ maxMessageBytes: 2000 });
    await node.adapter.subscribe('room');
  });

  it('is understood when it writes the envelope by hand, its timestamp kept', async () => {
    const message = { type: 'chat', data: { text: 'hé' }, timestamp: '2020-01-01T00:00:00.000Z' };
    await publish('realtime:channel:room', `{ "sourceId" : "${sourceId}",\n "message" : ${JSON.stringify(message)} }`);
    await publish('realtime:broadcast', envelope({ type: 'all' }));
    await waitFor('both', () => node.receiver.publications.length === 1 && node.receiver.broadcasts.length === 1);
    expect(JSON.parse(node.receiver.publications[0]!.text)).toEqual({ ...message, channel: 'room' });
    expect(JSON.parse(node.receiver.broadcasts[0]!)).toEqual({ type: 'all', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) });
  });

  it('cannot give a cursor, or a channel other than the one it published on', async () => {
    await publish('realtime:channel:room', envelope({ type: 'chat', cursor: 'e-1-t', channel: 'elsewhere', timestamp: 't' }));
    await waitFor('it', () => node.receiver.publications.length === 1);
    expect(JSON.parse(node.receiver.publications[0]!.text)).toEqual({ type: 'chat', channel: 'room', timestamp: 't' });
  });

  it('is skipped and counted when what it writes is malformed', async () => {
    const bad = [
      '', 'x', 'null', '[]', '{}', '"text"', '{"sourceId":1,"message":{"type":"m"}}', '{"sourceId":"short","message":{"type":"m"}}',
      `{"sourceId":"${sourceId}"}`, envelope(null), envelope([]), envelope('text'), envelope({}), envelope({ type: 1 }), envelope({ data: 1 }),
      `{"sourceId":"${sourceId}","length":4,"message":{"type":"m"}`,
      `{"sourceId":"${sourceId}","length":999999999999,"message":{"type":"m"`,
      `{"sourceId":"${sourceId}","length":-5,"message":{}`,
    ];
    for (const message of bad) await publish('realtime:channel:room', message);
    for (let i = 0; i < 20; i++) await publish('realtime:channel:room', randomBytes(60));
    for (const message of ['x', envelope({ kind: 'explode' }), envelope({ kind: 'disconnect', target: { userId: 'u' }, code: 7, reason: '' }),
      envelope({ kind: 'disconnect', target: {}, code: 4503, reason: '' }), envelope({ kind: 'send', target: null, payload: 'x' })]) {
      await publish('realtime:control', message);
    }
    await publish('realtime:channel:room', envelope({ type: 'good' }));
    await waitFor('the good one', () => node.receiver.publications.length > 0);
    expect(node.receiver.publications).toHaveLength(1);
    expect(node.receiver.commands).toEqual([]);
    expect(node.adapter.status().figures.malformed).toBe(bad.length + 20 + 5);
  });

  it('is skipped and counted when what it writes is too large', async () => {
    await publish('realtime:channel:room', envelope({ type: 'm', data: 'x'.repeat(20_000) }));
    await publish('realtime:channel:room', envelope({ type: 'good' }));
    await waitFor('the good one', () => node.receiver.publications.length > 0);
    expect(node.adapter.status().figures).toMatchObject({ oversized: 1, malformed: 0 });
    await expect(node.adapter.publish({ channel: 'room', payload: payloadOf('x'.repeat(2000)) })).rejects.toMatchObject({ name: 'OversizedPublicationError', limit: 2000 });
    await expect(node.adapter.append({ channel: 'room', payload: payloadOf('x'.repeat(2000)) }, HISTORY)).rejects.toThrow('maxMessageBytes');
  });

  it('finds our own envelopes to be JSON with a source id of 32 hexadecimal digits and the message', async () => {
    const listener = redis.client();
    cleanup({ stop: async () => listener.disconnect() });
    const heard: string[] = [];
    listener.on('message', (_channel, message) => heard.push(message));
    await listener.subscribe('realtime:channel:room');
    const payload = payloadOf('quote " and ünïcode');
    await node.adapter.publish({ channel: 'room', payload, exclude: ['c"1'] });
    await node.adapter.append({ channel: 'room', payload }, HISTORY);
    await waitFor('both', () => heard.length === 2);
    for (const text of heard) {
      expect(JSON.parse(text)).toMatchObject({ sourceId: expect.stringMatching(/^[0-9a-f]{32}$/), message: JSON.parse(payload.toString('utf8')) });
    }
  });
});
