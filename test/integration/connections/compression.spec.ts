import { createApp, type TestApp } from '../../support/create-app';
import { TestClient, type TestConnectOptions } from '../../support/test-client';

const LONG = 'every good boy deserves fudge '.repeat(100);

describe('permessage-deflate', () => {
  let app: TestApp;
  const connect = async (options: TestConnectOptions = {}): Promise<TestClient> => {
    const client = await TestClient.connect(`${app.url}/ws`, options);
    await client.subscribe('room:a');
    return client;
  };
  /** Bytes that the socket has read; `ws` does not tell, its socket does. */
  const bytesRead = (client: TestClient): number =>
    (Reflect.get(client.socket, '_socket') as { bytesRead: number }).bytesRead;

  afterEach(() => app.close());

  describe('switched on', () => {
    beforeEach(async () => {
      app = await createApp({ realtime: { channels: { '*': {} }, compression: { threshold: 256 } } });
    });

    it('sends long messages compressed, and short ones as they are', async () => {
      const client = await connect({ perMessageDeflate: true });
      expect(client.socket.extensions).toContain('permessage-deflate');
      const before = bytesRead(client);
      await app.hub.publish('room:a', LONG, { type: 'long' });
      await app.hub.publish('room:a', 'short', { type: 'short' });
      expect((await client.next('long')).data).toBe(LONG);
      expect((await client.next('short')).data).toBe('short');
      expect(bytesRead(client) - before).toBeLessThan(LONG.length / 2);
    });

    it('gives every client the same message, however many of one turn and whoever agreed to what', async () => {
      const clients = await Promise.all([
        connect({ perMessageDeflate: true }),
        connect({ perMessageDeflate: { clientNoContextTakeover: true } }),
        connect({ perMessageDeflate: { serverMaxWindowBits: 9 } }),
        connect({ perMessageDeflate: false }),
      ]);
      await Promise.all(Array.from({ length: 5 }, (_, i) => app.hub.publish('room:a', `${i} ${LONG}`)));
      for (const client of clients) {
        for (let i = 0; i < 5; i++) expect((await client.next('message')).data).toBe(`${i} ${LONG}`);
      }
    });

    it('takes compressed messages from clients', async () => {
      const client = await connect({ perMessageDeflate: { threshold: 0 } });
      expect(await client.request({ type: 'nobody', data: LONG })).toMatchObject({ type: 'error', data: { code: 'unknown_type' } });
    });

    it('holds what a compressed message grows to against limits.maxMessageBytes', async () => {
      const client = await connect({ perMessageDeflate: { threshold: 0 } });
      client.send({ type: 'bomb', data: 'x'.repeat(70_000) });
      expect((await client.closed).code).toBe(1009);
    });
  });

  it('is off by default, whatever the client offers', async () => {
    app = await createApp({ realtime: { channels: { '*': {} } } });
    const client = await connect({ perMessageDeflate: true });
    expect(client.socket.extensions).toBe('');
    await app.hub.publish('room:a', LONG);
    expect((await client.next('message')).data).toBe(LONG);
  });
});
