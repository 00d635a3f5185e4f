import { RealtimeError } from '../../../lib/client';
import { TestClient, connected } from './support/client';
import { settle } from './support/fake-platform';

/** Gives `t1`, `t2`... and counts. */
function counted(): { (): Promise<string>; calls: number } {
  const source = Object.assign(() => Promise.resolve(`t${++source.calls}`), { calls: 0 });
  return source;
}

function tokenOf({ protocols }: { protocols: string[] }): string | undefined {
  const entry = protocols.find((protocol) => protocol.startsWith('bearer.'));
  return entry && Buffer.from(entry.slice('bearer.'.length), 'base64url').toString();
}

describe('the way of the token', () => {
  it('is a subprotocol entry where headers cannot be set', async () => {
    const { socket } = await connected({ token: 'sëcret+/=?🙂' });
    expect(socket.protocols).toEqual(['realtime.v1', expect.stringMatching(/^bearer\.[A-Za-z0-9_-]+$/)]);
    expect(tokenOf(socket)).toBe('sëcret+/=?🙂');
    expect(socket.url).not.toContain('token');
    expect(socket.options).toBeUndefined();
  });

  it('is the header with the class of the ws package', async () => {
    const { socket } = await connected({ token: 'secret', asInNode: true });
    expect(socket.options).toEqual({ headers: { Authorization: 'Bearer secret' } });
    expect(socket.protocols).toEqual(['realtime.v1']);
  });

  it('is the query only when asked for', async () => {
    const { socket } = await connected({ token: 'a b&c', tokenTransport: 'query' });
    expect(socket.url).toBe('wss://example.test/ws?token=a+b%26c');
    expect(socket.protocols).toEqual(['realtime.v1']);
  });

  it.each(['', null, undefined])('is none for %p', async (token) => {
    const { socket } = await connected({ token: () => token });
    expect(socket.protocols).toEqual(['realtime.v1']);
  });
});

describe('a token function', () => {
  it('is not called again for a reconnection', async () => {
    const token = counted();
    const test = await connected({ token });
    for (const code of [1001, 1011, 4008]) {
      await test.socket.end(code);
      await (await test.reconnect()).welcome();
    }
    expect(token.calls).toBe(1);
    expect(tokenOf(test.socket)).toBe('t1');
  });

  it('is called anew when the server closes over the token', async () => {
    const token = counted();
    const test = await connected({ token });
    await test.socket.end(4005);
    expect(tokenOf(await test.reconnect())).toBe('t2');
  });

  it('is called anew when the handshake is refused with 401, and only then where the platform tells', async () => {
    const token = counted();
    const test = new TestClient({ token, asInNode: true });
    await settle();
    await test.socket.refuse(401);
    expect(test.context('disconnected')).toMatchObject({ willReconnect: true, error: { code: 'unauthorized', status: 401 } });
    await test.reconnect();
    expect(token.calls).toBe(2);
    await test.socket.refuse(503);
    await test.reconnect();
    expect(token.calls).toBe(2);
    expect(test.socket.options).toEqual({ headers: { Authorization: 'Bearer t2' } });
  });

  it('is called anew after any failed handshake where a 401 cannot be told', async () => {
    const token = counted();
    const test = new TestClient({ token });
    await settle();
    await test.socket.refuse();
    await test.reconnect();
    expect(tokenOf(test.socket)).toBe('t2');
  });

  it('is called anew when the token has expired in the meantime', async () => {
    const token = counted();
    const test = new TestClient({ token, asInNode: true });
    await settle();
    const end = test.platform.time + 40_000;
    await test.socket.welcome({ expiresAt: end });
    await test.socket.end();
    while (test.platform.time < end) {
      expect(token.calls).toBe(1);
      await (await test.reconnect()).refuse(503);
    }
    await test.reconnect();
    expect(token.calls).toBe(2);
  });

  it('that fails is reported and called again with the next attempt', async () => {
    let calls = 0;
    const token = (): Promise<string> => (++calls === 1 ? Promise.reject(new Error('no network')) : Promise.resolve('t'));
    const test = new TestClient({ token });
    await settle();
    expect(test.errors).toEqual([expect.objectContaining({ code: 'unavailable', message: 'No token: Error: no network' })]);
    expect(test.context('disconnected')).toMatchObject({ willReconnect: true });
    await (await test.reconnect()).welcome();
    expect(test.client.state).toBe('connected');
  });

  it('that throws at once is no different', async () => {
    const test = new TestClient({
      token: () => {
        throw new Error('a mistake');
      },
    });
    await settle();
    expect(test.errors[0]?.message).toContain('a mistake');
    expect(test.context('disconnected')).toMatchObject({ willReconnect: true });
    test.client.close();
  });

  it('that throws unauthorized stops the client', async () => {
    const refusal = new RealtimeError('unauthorized', 'signed out');
    const test = new TestClient({ token: () => Promise.reject(refusal) });
    await settle();
    expect(test.context('disconnected')).toMatchObject({ willReconnect: false, error: refusal });
    expect(test.errors).toEqual([refusal]);
    expect(test.platform.pendingTimers).toBe(0);
  });

  it('is called anew after the client has stopped', async () => {
    const token = counted();
    const test = await connected({ token });
    await test.socket.end(4501);
    void test.client.connect();
    await settle();
    expect(tokenOf(test.socket)).toBe('t2');
  });
});

describe('a token that is given as text', () => {
  it('stops the client when it is refused', async () => {
    const test = new TestClient({ token: 'wrong', asInNode: true });
    await settle();
    await test.socket.refuse(401);
    expect(test.context('disconnected')).toMatchObject({ willReconnect: false });
    expect(test.errors).toEqual([expect.objectContaining({ code: 'unauthorized', status: 401 })]);
    expect(test.errors[0]?.message).not.toContain('wrong');
  });

  it('is not refreshed', async () => {
    const test = await connected({ token: 'fixed' });
    await test.socket.receive({ type: 'connected', data: { expiresAt: test.platform.time + 40_000 } });
    await test.platform.advance(39_000);
    expect(test.socket.sentOf('refresh')).toEqual([]);
  });
});

it('stops over a handshake that is refused with 403', async () => {
  const test = new TestClient({ asInNode: true });
  await settle();
  await test.socket.refuse(403);
  expect(test.context('disconnected')).toMatchObject({ willReconnect: false, error: { code: 'forbidden', status: 403 } });
});

describe('before a token expires', () => {
  const expiring = async (lifetime: number, token = counted(), serverAhead = 0): Promise<TestClient> => {
    const test = new TestClient({ token, timeout: 2000 });
    await settle();
    const serverTime = test.platform.time + serverAhead;
    const heartbeat = { interval: 1e9, timeout: 1e9 };
    await test.socket.welcome({ heartbeat, expiresAt: serverTime + lifetime }, new Date(serverTime).toISOString());
    return test;
  };

  it('a new one is sent over the connection, each time again', async () => {
    const test = await expiring(300_000);
    await test.platform.advance(269_999);
    expect(test.socket.sentOf('refresh')).toEqual([]);
    await test.platform.advance(1);
    const [refresh] = test.socket.sentOf('refresh');
    expect(refresh).toMatchObject({ data: 't2' });
    await test.socket.receive({ type: 'refreshed', id: refresh!.id, data: { expiresAt: test.platform.time + 100_000 } });
    await test.platform.advance(79_999);
    expect(test.socket.sentOf('refresh')).toHaveLength(1);
    await test.platform.advance(1);
    expect(test.socket.sentOf('refresh')[1]).toMatchObject({ data: 't3' });
    expect(test.network.sockets).toHaveLength(1);
  });

  it('the time is taken from the server, whatever the clock of the client says', async () => {
    const test = await expiring(300_000, counted(), -86_400_000);
    await test.platform.advance(269_999);
    expect(test.socket.sentOf('refresh')).toEqual([]);
    await test.platform.advance(1);
    expect(test.socket.sentOf('refresh')).toHaveLength(1);
  });

  it('a refusal is reported and tried again while there is time', async () => {
    const test = await expiring(100_000);
    await test.platform.advance(80_000);
    const [refresh] = test.socket.sentOf('refresh');
    const data = { code: 'unauthorized', message: 'expired already' };
    await test.socket.receive({ type: 'error', id: refresh!.id, data });
    expect(test.errors).toEqual([expect.objectContaining(data)]);
    await test.platform.advance(20_000);
    expect(test.socket.sentOf('refresh').length).toBeGreaterThan(2);
    expect(test.socket.sentOf('refresh').length).toBeLessThan(10);
    await test.platform.advance(60_000);
    expect(test.errors.length).toBeLessThan(10);
  });

  it('a function that fails is called again while there is time', async () => {
    let calls = 0;
    const token = Object.assign(
      () => (++calls === 2 ? Promise.reject(new Error('no network')) : Promise.resolve(`t${calls}`)),
      { calls: 0 },
    );
    const test = await expiring(100_000, token);
    await test.platform.advance(90_000);
    expect(test.errors).toEqual([expect.objectContaining({ code: 'unavailable', message: 'No token: Error: no network' })]);
    expect(test.socket.sentOf('refresh')).toEqual([expect.objectContaining({ data: 't3' })]);
  });

  it('a token that comes after the connection is lost is used for the next one', async () => {
    let resolve: (token: string) => void = () => undefined;
    let calls = 0;
    const token = Object.assign(
      () => (++calls === 1 ? Promise.resolve('t1') : new Promise<string>((done) => (resolve = done))),
      { calls: 0 },
    );
    const test = await expiring(100_000, token);
    await test.platform.advance(80_000);
    await test.socket.end();
    resolve('t2');
    await settle();
    const next = await test.reconnect();
    expect(tokenOf(next)).toBe('t2');
    await next.welcome();
    expect(next.sentOf('refresh')).toEqual([]);
    expect(calls).toBe(2);
  });

  it('a token that comes when the next connection is up is not sent on that one', async () => {
    const waiting: ((token: string) => void)[] = [];
    const token = Object.assign(() => new Promise<string>((done) => waiting.push(done)), { calls: 0 });
    const test = new TestClient({ token });
    await settle();
    waiting[0]!('t1');
    await settle();
    const heartbeat = { interval: 1e9, timeout: 1e9 };
    await test.socket.welcome({ heartbeat, expiresAt: test.platform.time + 100_000 });
    await test.platform.advance(80_000);
    await test.socket.end();
    await test.platform.advance(2000);
    waiting[2]!('t3');
    await settle();
    await test.socket.welcome({ heartbeat });
    waiting[1]!('t2');
    await settle();
    expect(tokenOf(test.socket)).toBe('t3');
    expect(test.socket.sent).toEqual([]);
  });

  it('nothing is done with a lifetime longer than a timer can wait', async () => {
    const test = await expiring(400 * 86_400_000);
    await test.platform.advance(1000);
    expect(test.socket.sentOf('refresh')).toEqual([]);
  });
});
