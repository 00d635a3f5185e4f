import type { Link, LinkHandlers, LinkRequest, Transport } from '../../../lib/client';
import { RealtimeClient as CoreClient } from '../../../lib/client/core';
import { TransportChoice } from '../../../lib/client/transport-choice';
import { webSocketUrl } from '../../../lib/client/url';
import { TestClient } from './support/client';
import { settle } from './support/fake-platform';

/** A second way to the server. */
class FakeTransport implements Transport {
  readonly name = 'pigeon';
  readonly links: { request: LinkRequest; handlers: LinkHandlers }[] = [];

  open(request: LinkRequest, handlers: LinkHandlers): Link {
    this.links.push({ request, handlers });
    return { send: () => true, close: () => undefined };
  }

  async welcome(): Promise<void> {
    const { handlers } = this.links.at(-1)!;
    handlers.open();
    handlers.frame({ type: 'connected', data: {} });
    await settle();
  }

  async end(status?: number): Promise<void> {
    this.links.at(-1)!.handlers.close({ code: 1006, reason: 'gone', status });
    await settle();
  }
}

async function setUp(): Promise<{ test: TestClient; pigeon: FakeTransport }> {
  const pigeon = new FakeTransport();
  const test = new TestClient({ transports: ['websocket', pigeon], asInNode: true, token: () => 'secret' });
  await settle();
  return { test, pigeon };
}

describe('a fall-back transport', () => {
  it('is tried at once when a WebSocket cannot be opened', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.refuse(404);
    expect(pigeon.links).toHaveLength(1);
    expect(pigeon.links[0]!.request).toMatchObject({ url: 'wss://example.test/ws', token: 'secret' });
    await pigeon.welcome();
    expect(test.states).toEqual(['connecting', 'connected']);
    expect(test.context('connected')).toMatchObject({ transport: 'pigeon' });
  });

  it('is tried when a WebSocket opens and brings nothing', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.open();
    await test.platform.advance(11_000);
    expect(pigeon.links).toHaveLength(1);
    expect(test.network.inUse).toBe(0);
  });

  it('gives way to a WebSocket with the next connection', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.refuse();
    await pigeon.welcome();
    await pigeon.end();
    expect(test.context('disconnected')).toMatchObject({ willReconnect: true });
    await (await test.reconnect()).welcome();
    expect(test.context('connected')).toMatchObject({ transport: 'websocket' });
  });

  it('is not tried because a server restarts: only after three failures in a row', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.welcome();
    await test.socket.end(1001);
    for (let i = 0; i < 2; i++) {
      await (await test.reconnect()).refuse();
      expect(pigeon.links).toHaveLength(0);
    }
    await (await test.reconnect()).refuse();
    expect(pigeon.links).toHaveLength(1);
  });

  it('is not tried when the server refuses the token', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.refuse(401);
    expect(pigeon.links).toHaveLength(0);
  });

  it('is not tried when the server closes with a code of its own', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.open();
    await test.socket.end(4013);
    expect(pigeon.links).toHaveLength(0);
  });

  it('that fails too makes the client wait, and begin with a WebSocket again', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.refuse();
    await pigeon.end();
    expect(test.states).toEqual(['connecting', 'disconnected']);
    await test.reconnect();
    expect(test.network.sockets).toHaveLength(2);
  });

  it('that is refused with 403 stops the client', async () => {
    const { test, pigeon } = await setUp();
    await test.socket.refuse(403);
    expect(test.client.state).toBe('connecting');
    await pigeon.end(403);
    expect(test.context('disconnected')).toMatchObject({ willReconnect: false, error: { code: 'forbidden' } });
  });

  it('whose open() throws is a failure like any other', async () => {
    const test = new TestClient({
      transports: [{ name: 'broken', open: () => { throw new Error('blocked'); } }],
    });
    await settle();
    expect(test.context('disconnected')).toMatchObject({ reason: 'Error: blocked', willReconnect: true });
    test.client.close();
  });
});

describe('the choice of transports', () => {
  it('never goes past the last one', () => {
    const choice = new TransportChoice([new FakeTransport()]);
    expect([choice.fallBack(), choice.fallBack()]).toEqual([false, false]);
    expect(choice.current.name).toBe('pigeon');
  });
});

describe('names of transports', () => {
  it('that are unknown are refused', () => {
    const { network } = new TestClient({ autoConnect: false });
    const options = { WebSocket: network.WebSocket, transports: ['smoke' as 'websocket'] };
    expect(() => new CoreClient('wss://example.test/ws', options)).toThrow('Unknown transport: smoke');
  });

  it("are without 'sse' in the light client, which takes its object", () => {
    const { network } = new TestClient({ autoConnect: false });
    const options = { WebSocket: network.WebSocket, transports: ['sse' as 'websocket'] };
    expect(() => new CoreClient('wss://example.test/ws', options)).toThrow('Pass its object');
  });
});

describe('webSocketUrl', () => {
  it.each([
    ['wss://example.test/ws', 'wss://example.test/ws'],
    ['https://example.test', 'wss://example.test/'],
    ['http://localhost:3000/ws?room=a#b', 'ws://localhost:3000/ws?room=a'],
  ])('makes of %s %s', (url, expected) => {
    expect(webSocketUrl(url)).toBe(expected);
  });
});
