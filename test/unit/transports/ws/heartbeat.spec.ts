import { Heartbeat } from '../../../../lib/transports/ws/heartbeat';
import type { WebSocketConnection } from '../../../../lib/transports/ws/websocket-connection';

/** The defaults of the protocol. */
const DEFAULTS = { interval: 30_000, timeout: 60_000, writeTimeout: 10_000 };
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What the heartbeat sees of a connection, and when it did what to it. */
class Peer {
  lastPong = 0;
  nextPing = 0;
  blockedSince = 0;
  readonly webSocket = { isPaused: false };
  readonly pings: number[] = [];
  readonly closes: [at: number, code: number | undefined][] = [];
  overflows = 0;

  constructor(private readonly answers: boolean) {}

  ping(): void {
    this.pings.push(performance.now());
    if (this.answers) this.lastPong = performance.now();
  }

  close(code?: number): void {
    this.closes.push([performance.now(), code]);
  }

  overflow(): void {
    this.overflows++;
  }

  get connection(): WebSocketConnection {
    return this as unknown as WebSocketConnection;
  }
}

describe('CHECKLIST 20: the heartbeat with its defaults', () => {
  let heartbeat: Heartbeat;
  beforeEach(() => {
    jest.useFakeTimers();
    heartbeat = new Heartbeat(DEFAULTS);
    heartbeat.start();
  });
  afterEach(() => {
    heartbeat.stop();
    jest.useRealTimers();
  });

  const join = (peer: Peer): number => {
    heartbeat.add(peer.connection);
    return performance.now();
  };

  it('pings every 30 s, first a little earlier', () => {
    const peer = new Peer(true);
    const joined = join(peer);
    jest.advanceTimersByTime(10 * MINUTE);
    const gaps = peer.pings.map((at, i) => at - (peer.pings[i - 1] ?? joined));
    expect(gaps[0]).toBeGreaterThanOrEqual(22.5 * SECOND);
    expect(gaps[0]).toBeLessThanOrEqual(31 * SECOND);
    for (const gap of gaps.slice(1)) expect(gap).toBe(30 * SECOND);
    expect(gaps.length).toBeGreaterThanOrEqual(20);
  });

  it('ends a peer that never answers with 4001, after 60 s', () => {
    const peer = new Peer(false);
    const joined = join(peer);
    jest.advanceTimersByTime(59 * SECOND);
    expect(peer.closes).toEqual([]);
    jest.advanceTimersByTime(3 * SECOND);
    const [at, code] = peer.closes[0]!;
    expect(code).toBe(4001);
    expect(at - joined).toBeGreaterThanOrEqual(60 * SECOND);
    expect(at - joined).toBeLessThanOrEqual(61 * SECOND);
  });

  it('keeps an idle peer that answers, for hours', () => {
    const peer = new Peer(true);
    join(peer);
    jest.advanceTimersByTime(3 * 60 * MINUTE);
    expect(peer.closes).toEqual([]);
    expect(peer.overflows).toBe(0);
  });

  it('ends a peer whose write has waited for 10 s, and not before', () => {
    const peer = new Peer(true);
    join(peer);
    jest.advanceTimersByTime(SECOND);
    peer.blockedSince = performance.now();
    jest.advanceTimersByTime(10 * SECOND);
    expect(peer.overflows).toBe(0);
    jest.advanceTimersByTime(1 * SECOND);
    expect(peer.overflows).toBe(1);
  });

  it('counts no time against a peer that is not read from', () => {
    const peer = new Peer(false);
    join(peer);
    peer.webSocket.isPaused = true;
    jest.advanceTimersByTime(10 * MINUTE);
    expect(peer.closes).toEqual([]);
    peer.webSocket.isPaused = false;
    jest.advanceTimersByTime(62 * SECOND);
    expect(peer.closes[0]?.[1]).toBe(4001);
  });

  it('forgets who is removed', () => {
    const peer = new Peer(false);
    join(peer);
    heartbeat.remove(peer.connection);
    jest.advanceTimersByTime(10 * MINUTE);
    expect([peer.pings, peer.closes]).toEqual([[], []]);
  });

  it('has one timer for all, and none when it has stopped', () => {
    for (let i = 0; i < 1000; i++) join(new Peer(true));
    expect(jest.getTimerCount()).toBe(1);
    heartbeat.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('spreads the first pings of those who come at once', () => {
    const peers = Array.from({ length: 100 }, () => new Peer(true));
    for (const peer of peers) join(peer);
    jest.advanceTimersByTime(31 * SECOND);
    expect(new Set(peers.map(({ pings }) => pings[0])).size).toBeGreaterThan(2);
  });
});
