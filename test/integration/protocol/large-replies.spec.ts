import { type Frame, type Subscriber } from 'nestjs-realtime';
import { testApps } from '../../support/test-apps';
import { RawWebSocket } from '../../support/raw-websocket';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const CHANNELS = {
  'room:{name}': { presence: { announce: false } },
  'kept:{name}': { history: { size: 1000, ttl: '1m' } },
} as const;
const FILLER = 'x'.repeat(10_000);
/** More than the operating system keeps for a socket. */
const REPLIES = 30;

/** Takes part, and does nothing. */
class Extra implements Subscriber {
  send(_frame: Frame): boolean {
    return true;
  }
  close(): void {}
}

describe('a large reply', () => {
  const createApp = testApps();

  const populate = async (hub: Awaited<ReturnType<typeof createApp>>['hub'], members: number): Promise<void> => {
    for (let n = 0; n < members; n++) {
      const connection = hub.register(new Extra(), { user: { id: `user ${n % 10}`, claims: {} } });
      connection.info = { n, FILLER };
      await hub.subscribe({ connectionId: connection.id }, 'room:full');
    }
  };

  it('of presence lists as many members as fit half a queue, and counts them all', async () => {
    const { hub, url } = await createApp({ realtime: { channels: CHANNELS, limits: { sendQueueBytes: 200_000 } } });
    await populate(hub, 30);
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('room:full');
    const { data } = await client.request({ type: 'presence', channel: 'room:full' });
    expect(data).toMatchObject({ count: 31, users: 11 });
    expect(data.members).toHaveLength(9);
    expect(new Set(data.members.map(({ connectionId }: { connectionId: string }) => connectionId)).size).toBe(9);
    expect((await hub.presence('room:full')).members).toHaveLength(31);
  });

  it('of presence lists everybody where they fit', async () => {
    const { hub, url } = await createApp({ realtime: { channels: CHANNELS } });
    await populate(hub, 30);
    const client = await TestClient.connect(`${url}/ws`);
    await client.subscribe('room:full');
    expect((await client.request({ type: 'presence', channel: 'room:full' })).data.members).toHaveLength(31);
  });

  it.each([
    ['presence', ['room:full']],
    ['history', ['kept:a']],
    ['history', ['kept:a', 'kept:b', 'kept:c', 'kept:d', 'kept:e', 'kept:f']],
  ])('of %s waits for a client that asks for many at once and reads them late (%j)', async (type, channels) => {
    const { hub, port } = await createApp({ realtime: { channels: CHANNELS } });
    await populate(hub, 40);
    for (const channel of channels) for (let n = 0; n < 40; n++) await hub.publish(channel, FILLER);
    const client = await RawWebSocket.open(port);
    client.send(...channels.map((channel) => ({ type: 'subscribe', channel })));
    await waitFor('the subscriptions', () => client.messages.filter((message) => message.type === 'subscribed').length === channels.length);
    client.stopReading();
    client.send(...Array.from({ length: REPLIES }, (_, id) => ({ type, channel: channels[id % channels.length], id })));
    // What else is sent meanwhile needs room as well.
    const before = hub.stats().published;
    await waitFor('a full socket', async () => {
      await hub.broadcast('tick');
      return hub.stats().published > before + 100;
    });
    expect(hub.stats()).toMatchObject({ clients: 41, evicted: 0 });
    client.readAgain();
    await waitFor('all replies', () => client.messages.filter((message) => message.type === type).length === REPLIES);
    expect(client.messages.filter((message) => message.type === type).map(({ id }) => id).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: REPLIES }, (_, id) => id),
    );
    expect(hub.stats().evicted).toBe(0);
    client.destroy();
  });
});
