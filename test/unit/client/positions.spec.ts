import { RealtimeClient, type PositionStorage } from '../../../lib/client';
import { connected } from './support/client';
import { settle } from './support/fake-platform';

/** A `sessionStorage`. */
class FakeStorage implements PositionStorage {
  readonly items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const subscribed = { type: 'subscribed', channel: 'room:a', recoverable: true };
const news = (n: number): never => ({ type: 'news', channel: 'room:a', data: n, cursor: `c${n}` }) as never;

describe('positions in a storage', () => {
  it('are continued from by the next page', async () => {
    const storage = new FakeStorage();
    const before = await connected({ storage });
    void before.client.channel('room:a').subscribe();
    await before.socket.receive({ ...subscribed, id: 1, cursor: 'c0' }, news(1), news(2));
    before.client.close();

    const after = await connected({ storage });
    const room = after.client.channel('room:a');
    const seen: unknown[] = [];
    room.on('message', (data) => seen.push(data));
    room.on('subscribed', ({ recovered }) => seen.push(recovered));
    expect(room.cursor).toBe('c2');
    void room.subscribe({ replay: 10 });
    expect(after.socket.sent).toEqual([{ type: 'subscribe', channel: 'room:a', cursor: 'c2', id: 1 }]);
    await after.socket.receive({ ...subscribed, id: 1, recovered: true, cursor: 'c2' }, news(3));
    expect(seen).toEqual([true, 3]);
  });

  it('are there before the listeners run, and exact after each message', async () => {
    const storage = new FakeStorage();
    const test = await connected({ storage });
    const room = test.client.channel('room:a');
    const seen: unknown[] = [];
    room.on('message', () => seen.push([...storage.items]));
    void room.subscribe();
    await test.socket.receive({ ...subscribed, id: 1, cursor: 'c0' }, news(1), news(2));
    expect(seen).toEqual([[['nestjs-realtime:room:a', 'c1']], [['nestjs-realtime:room:a', 'c2']]]);
  });

  it('are forgotten when the channel is', async () => {
    const storage = new FakeStorage();
    const test = await connected({ storage, storagePrefix: 'app/' });
    void test.client.channel('room:a').subscribe();
    await test.socket.receive({ ...subscribed, id: 1, cursor: 'c0' });
    expect([...storage.items]).toEqual([['app/room:a', 'c0']]);
    test.client.channel('room:a').unsubscribe();
    expect([...storage.items]).toEqual([]);
  });

  it('are done without when the storage fails, which is reported', async () => {
    const fail = (): never => {
      throw new Error('quota exceeded');
    };
    const test = await connected({ storage: { getItem: fail, setItem: fail, removeItem: fail } });
    const room = test.client.channel('room:a');
    void room.subscribe();
    await test.socket.receive({ ...subscribed, id: 1, cursor: 'c0' }, news(1));
    expect(room.cursor).toBe('c1');
    expect(test.errors.length).toBeGreaterThan(0);
    for (const error of test.errors) {
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('quota exceeded') });
    }
  });
});

it('takes the address of a page for the base of a relative one', async () => {
  const { network, platform } = await connected();
  Object.assign(globalThis, { location: { href: 'https://example.test/chat/?tab=1#top' } });
  try {
    const client = new RealtimeClient('/ws?room=a', { WebSocket: network.WebSocket, platform });
    await settle();
    expect(network.last.url).toBe('wss://example.test/ws?room=a');
    client.close();
  } finally {
    delete (globalThis as { location?: unknown }).location;
  }
});
