import * as fc from 'fast-check';
import { type EnvironmentEvent, RealtimeClient } from '../../../lib/client';
import { FakeNetwork } from './support/fake-network';
import { FakePlatform, settle } from './support/fake-platform';
import { ModelServer } from './support/model-server';
import { ChannelObserver, PromiseObserver } from './support/observer';

const CHANNELS = ['room:a', 'room:b'];

/** A client, its server and everybody who watches, driven step by step. */
class World {
  readonly platform = new FakePlatform();
  readonly network = new FakeNetwork();
  readonly server = new ModelServer(this.platform.now);
  readonly promises = new PromiseObserver();
  readonly client: RealtimeClient;
  readonly observers: ReadonlyMap<string, ChannelObserver>;
  readonly faults: string[] = [];
  private keys = 0;

  constructor(maxAge: number) {
    this.client = new RealtimeClient('ws://model.test/ws', {
      WebSocket: this.network.WebSocket,
      platform: this.platform,
      token: () => Promise.resolve('token'),
      offlineQueue: { size: 5, maxAge },
    });
    this.observers = new Map(CHANNELS.map((name) => [name, new ChannelObserver(this.client.channel(name))]));
  }

  channel(name: string): ChannelObserver['channel'] {
    return this.observers.get(name)!.channel;
  }

  publish(channel: string): void {
    const idempotencyKey = `key-${++this.keys}`;
    this.promises.follow(this.channel(channel).publish('news', 'mine', { idempotencyKey }), idempotencyKey);
  }

  request(): void {
    this.promises.follow(this.client.request('ask', `request-${++this.keys}`));
  }

  async accept(): Promise<void> {
    const socket = this.network.sockets.at(-1);
    if (socket?.readyState === 0) await this.server.accept(socket);
  }

  async refuse(): Promise<void> {
    const socket = this.network.sockets.at(-1);
    if (socket?.readyState === 0) await socket.refuse();
  }

  async drain(reconnectAfter: number): Promise<void> {
    const socket = this.network.sockets.at(-1);
    if (socket?.readyState !== 1) return;
    await socket.receive({ type: 'draining', data: { reconnectAfter } });
    await this.server.cut(1001);
  }

  check(): void {
    if (this.network.inUse > 1) this.faults.push(`${this.network.inUse} sockets at a time`);
    if (this.platform.pendingTimers > this.promises.pending + 12) {
      this.faults.push(`${this.platform.pendingTimers} timers for ${this.promises.pending} promises`);
    }
    for (const [data, times] of this.server.handled) {
      if (times > 1) this.faults.push(`${String(data)} was handled ${times} times`);
    }
  }

  /** For a moment, everything works. */
  async flow(): Promise<void> {
    await this.accept();
    for (let round = 0; round < 4; round++) {
      this.server.serve(10);
      await this.server.deliver(10);
    }
  }

  /** Everything works from now on: the client must get to where it would be without any trouble. */
  async heal(): Promise<void> {
    this.promises.follow(this.client.connect());
    for (let round = 0; round < 60; round++) {
      await settle();
      await this.accept();
      while (this.server.hasWork || this.server.hasNews) {
        this.server.serve(100);
        await this.server.deliver(100);
      }
      await this.platform.advance(this.client.state === 'connected' ? 1000 : (this.platform.nextTimerIn ?? 0));
      this.check();
    }
  }

  judge(): string[] {
    const observed = [...this.observers.values()];
    const behind = observed.flatMap(({ channel, expected }) => {
      const { position } = this.server.history(channel.name);
      if (channel.state === 'unsubscribed' || expected === position + 1) return [];
      return [`${channel.name} is ${channel.state} and expects ${expected}, although the server is at ${position}`];
    });
    return [
      ...this.faults,
      ...observed.flatMap(({ faults }) => faults),
      ...this.promises.judgePublications(this.server),
      ...behind,
    ];
  }

  async end(): Promise<string[]> {
    this.client.close();
    await settle();
    const left = [
      [this.promises.pending, 'promises'],
      [this.platform.pendingTimers, 'timers'],
      [this.platform.pendingWatchers, 'watchers'],
      [this.network.inUse, 'sockets'],
    ] as const;
    return left.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what} left after close()`);
  }
}

type Step = (world: World) => unknown;

function named(name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name });
}

const channel = fc.constantFrom(...CHANNELS);
const few = fc.integer({ min: 1, max: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(named('flow', (world) => world.flow())) },
  { weight: 5, arbitrary: fc.constant(named('accept', (world) => world.accept())) },
  { weight: 8, arbitrary: few.map((n) => named(`serve ${n}`, (world) => world.server.serve(n))) },
  { weight: 10, arbitrary: few.map((n) => named(`deliver ${n}`, (world) => world.server.deliver(n))) },
  { weight: 12, arbitrary: channel.map((name) => named(`${name} news`, ({ server }) => server.publish(name))) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(1006, 1001, 1000, 1011, 4001, 4005, 4008, 4010, 4029)
      .map((code) => named(`cut ${code}`, ({ server }) => server.cut(code))),
  },
  { weight: 1, arbitrary: fc.constantFrom(1009, 4501, 4503).map((code) => named(`final ${code}`, ({ server }) => server.cut(code))) },
  { weight: 1, arbitrary: fc.constant(named('refuse', (world) => world.refuse())) },
  { weight: 1, arbitrary: fc.nat(20_000).map((ms) => named(`drain ${ms}`, (world) => world.drain(ms))) },
  {
    weight: 8,
    arbitrary: fc
      .oneof(fc.constant(0), fc.nat(3000), fc.nat(40_000), fc.constant(320_000))
      .map((ms) => named(`advance ${ms}`, ({ platform }) => platform.advance(ms))),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<EnvironmentEvent>('online', 'offline', 'visible')
      .map((event) => named(event, ({ platform }) => platform.report(event))),
  },
  {
    weight: 6,
    arbitrary: channel.map((name) =>
      named(`${name} subscribe()`, (world) => world.promises.follow(world.channel(name).subscribe())),
    ),
  },
  {
    weight: 2,
    arbitrary: channel.map((name) => named(`${name} unsubscribe()`, (world) => world.channel(name).unsubscribe())),
  },
  {
    weight: 1,
    arbitrary: channel.map((name) =>
      named(`${name} unsubscribe() in a listener`, (world) => {
        world.observers.get(name)!.onNextMessage = () => world.channel(name).unsubscribe();
      }),
    ),
  },
  { weight: 5, arbitrary: channel.map((name) => named(`${name} publish()`, (world) => world.publish(name))) },
  { weight: 2, arbitrary: fc.constant(named('request()', (world) => world.request())) },
  { weight: 1, arbitrary: channel.map((name) => named(`${name} presence()`, (world) => world.channel(name).presence())) },
  { weight: 1, arbitrary: fc.constant(named('connect()', (world) => world.promises.follow(world.client.connect()))) },
  { weight: 1, arbitrary: channel.map((name) => named(`${name} joined`, ({ server }) => server.join(name))) },
  { weight: 1, arbitrary: channel.map((name) => named(`${name} kicked`, ({ server }) => server.kick(name))) },
  { weight: 1, arbitrary: channel.map((name) => named(`${name} lost`, ({ server }) => server.lose(name))) },
  { weight: 1, arbitrary: channel.map((name) => named(`${name} trimmed`, ({ server }) => server.trim(name))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(channel, fc.constantFrom('forbidden', 'unavailable', 'internal'))
      .map(([name, code]) => named(`${name} next ${code}`, ({ server }) => server.refusals.set(name, code))),
  },
);

async function run(steps: Step[], maxAge: number): Promise<{ world: World; faults: string[] }> {
  const world = new World(maxAge);
  await settle();
  for (const act of steps) {
    await act(world);
    await settle();
    world.check();
  }
  await world.heal();
  const faults = world.judge();
  return { world, faults: [...faults, ...(await world.end())] };
}

describe('a client in any order of events', () => {
  it('keeps one socket, loses and repeats nothing, settles every promise once and leaves nothing behind', async () => {
    const seen = { received: 0, recovered: 0, gaps: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }),
        fc.constantFrom(60_000, 20 * 60_000),
        async (steps, maxAge) => {
          const { world, faults } = await run(steps, maxAge);
          for (const observer of world.observers.values()) {
            seen.received += observer.received;
            seen.recovered += observer.recovered;
            seen.gaps += observer.gaps;
          }
          expect(faults).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
    // The property would hold for a client that receives nothing.
    expect(seen.received).toBeGreaterThan(400);
    expect(seen.recovered).toBeGreaterThan(100);
    expect(seen.gaps).toBeGreaterThan(20);
  });

  it('settles and stops everything when closed at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const world = new World(60_000);
        for (const act of steps) await act(world);
        expect(await world.end()).toEqual([]);
        const sockets = world.network.sockets.length;
        await world.platform.advance(600_000);
        expect(world.network.sockets).toHaveLength(sockets);
        expect(world.faults).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
