import { Frame } from '../../../lib/hub/frame';
import { TokenExpiry } from '../../../lib/hub/token-expiry';
import { RecordingConnection } from './hub-kit';

const START = 1_700_000_000_000;
/** How exactly tokens are held to their end. */
const RESOLUTION = 250;

function connectionUntil(expiresAt: number | undefined, id = 'c'): RecordingConnection {
  return new RecordingConnection({ encode: () => Frame.fromText('{}') }, { id, user: { id: 'alice', claims: {}, expiresAt } });
}

describe('TokenExpiry', () => {
  let expiry: TokenExpiry;

  beforeEach(() => {
    jest.useFakeTimers({ now: START });
    expiry = new TokenExpiry();
  });
  afterEach(() => void jest.useRealTimers());

  it.each([1, 249, 250, 251, 1000, 3_600_000])('closes with 4005 at the end of a token of %d ms, and never before', (lifetime) => {
    const connection = connectionUntil(START + lifetime);
    expiry.watch(connection);
    jest.advanceTimersByTime(lifetime - 1);
    expect(connection.open).toBe(true);
    jest.advanceTimersByTime(1 + 2 * RESOLUTION);
    expect(connection.closedWith).toEqual({ code: 4005, reason: 'token expired' });
  });

  it('closes at once what has ended already', () => {
    const connection = connectionUntil(START - 60_000);
    expiry.watch(connection);
    jest.advanceTimersByTime(RESOLUTION);
    expect(connection.open).toBe(false);
  });

  it('lets a connection with a new token pass the end of the old one', () => {
    const connection = connectionUntil(START + 1000);
    expiry.watch(connection);
    connection.user = { ...connection.user!, expiresAt: START + 5000 };
    expiry.watch(connection);
    jest.advanceTimersByTime(4999);
    expect(connection.open).toBe(true);
    jest.advanceTimersByTime(2 * RESOLUTION);
    expect(connection.open).toBe(false);
  });

  it('holds a connection to the token of a user whom the application has put in by itself', () => {
    const connection = connectionUntil(START + 1000);
    expiry.watch(connection);
    connection.user = { ...connection.user!, expiresAt: START + 5000 };
    jest.advanceTimersByTime(4999);
    expect(connection.open).toBe(true);
    jest.advanceTimersByTime(2 * RESOLUTION);
    expect(connection.open).toBe(false);
  });

  it('keeps nothing of a connection that ends after any number of new tokens', () => {
    const connection = connectionUntil(START + 60_000);
    for (let n = 1; n <= 5; n++) {
      expiry.watch(connection);
      connection.user = { ...connection.user!, expiresAt: START + 60_000 * (n + 1) };
    }
    expiry.watch(connection);
    expect(jest.getTimerCount()).toBe(1);
    expiry.unwatch(connection);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('holds a connection to a new token that ends sooner', () => {
    const connection = connectionUntil(START + 60_000);
    expiry.watch(connection);
    connection.user = { ...connection.user!, expiresAt: START + 1000 };
    expiry.watch(connection);
    jest.advanceTimersByTime(1000 + 2 * RESOLUTION);
    expect(connection.open).toBe(false);
  });

  it('lets a connection stay whose new token does not end', () => {
    const connection = connectionUntil(START + 1000);
    expiry.watch(connection);
    connection.user = { id: 'alice', claims: {} };
    expiry.watch(connection);
    jest.advanceTimersByTime(10_000);
    expect(connection.open).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('runs one timer for all, and none when nobody is left to watch', () => {
    expect(jest.getTimerCount()).toBe(0);
    expiry.watch(connectionUntil(undefined));
    expect(jest.getTimerCount()).toBe(0);
    const connections = [1000, 2000, 2001].map((lifetime, index) => connectionUntil(START + lifetime, String(index)));
    for (const connection of connections) expiry.watch(connection);
    expect(jest.getTimerCount()).toBe(1);
    for (const connection of connections) expiry.unwatch(connection);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('begins again after it has run out', () => {
    expiry.watch(connectionUntil(START + 100));
    jest.advanceTimersByTime(1000);
    expect(jest.getTimerCount()).toBe(0);
    const later = connectionUntil(START + 2000);
    expiry.watch(later);
    jest.advanceTimersByTime(2000);
    expect(later.open).toBe(false);
  });

  it('forgets a connection that has ended', () => {
    const connection = connectionUntil(START + 1000);
    expiry.watch(connection);
    expiry.unwatch(connection);
    jest.advanceTimersByTime(2000);
    expect(connection.open).toBe(true);
  });

  it('closes all of the same moment, also when each close takes others off', () => {
    const connections = Array.from({ length: 5 }, (_, index) => connectionUntil(START + 1000, String(index)));
    for (const connection of connections) {
      const close = connection.close.bind(connection);
      connection.close = (code, reason) => {
        close(code, reason);
        expiry.unwatch(connection);
      };
      expiry.watch(connection);
    }
    jest.advanceTimersByTime(1000 + RESOLUTION);
    expect(connections.filter(({ open }) => open)).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('stops', () => {
    const connection = connectionUntil(START + 1000);
    expiry.watch(connection);
    expiry.stop();
    jest.advanceTimersByTime(5000);
    expect(connection.open).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });
});
