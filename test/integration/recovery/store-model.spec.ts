import { deepEqual } from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { HubAdapter } from '../../../lib/adapter/hub-adapter';
import type { Position } from '../../../lib/protocol/cursor';
import { RedisServer } from '../../support/redis-server';
import { payloadOf, silenceLogs, startNode, useCleanup } from '../adapter/redis-nodes';

silenceLogs();
const cleanup = useCleanup();

type Step = { kind: 'append' } | { kind: 'save' } | { kind: 'failOver' } | { kind: 'expire' } | { kind: 'read'; from: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'append' as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ kind: 'save' as const }, { kind: 'failOver' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'expire' as const }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), from: fc.nat(50) }) },
);

interface State {
  /** The positions that the channel has passed through, and how many of the newest are held. */
  readonly chain: readonly Position[];
  readonly held: number;
}

/** A channel in Redis beside a list. A fail-over takes both back to what was saved. */
class Channel {
  private readonly keys: [string, string];
  private state: State;
  private saved: { state: State; dumps: (Buffer | null)[] } | undefined;
  private readonly given: Position[];

  private constructor(
    private readonly adapter: HubAdapter,
    private readonly redis: Redis,
    private readonly name: string,
    private readonly history: { size: number; ttl: number },
    start: Position,
  ) {
    this.keys = [`realtime:position:{realtime:channel:${name}}`, `realtime:history:{realtime:channel:${name}}`];
    this.state = { chain: [start], held: 0 };
    this.given = [start];
  }

  static async begin(adapter: HubAdapter, redis: Redis, name: string, size: number): Promise<Channel> {
    const history = { size, ttl: 60_000 };
    return new Channel(adapter, redis, name, history, (await adapter.read(name, { last: 0 }, history)).position);
  }

  async do(each: Step): Promise<void> {
    if (each.kind === 'append') await this.append();
    else if (each.kind === 'save') await this.save();
    else if (each.kind === 'failOver') await this.failOver();
    else if (each.kind === 'expire') await this.expire();
    else await this.read(this.given[each.from % this.given.length]!);
  }

  private async append(): Promise<void> {
    const { chain, held } = this.state;
    const { position } = await this.adapter.append({ channel: this.name, payload: payloadOf(this.given.length) }, this.history);
    this.state = { chain: [...chain, position], held: Math.min(held + 1, this.history.size) };
    this.given.push(position);
  }

  private async save(): Promise<void> {
    this.saved = { state: this.state, dumps: await Promise.all(this.keys.map((key) => this.redis.dumpBuffer(key))) };
  }

  private async failOver(): Promise<void> {
    if (this.saved === undefined) return;
    const all = this.redis.multi().del(...this.keys);
    for (const [index, dump] of this.saved.dumps.entries()) if (dump) all.restore(this.keys[index]!, 60_000, dump);
    await all.exec();
    this.state = this.saved.state;
  }

  /** As after the history's time to live. */
  private async expire(): Promise<void> {
    await this.redis.del(this.keys[1]);
    this.state = { ...this.state, held: 0 };
  }

  private async read(after: Position): Promise<void> {
    const { chain, held } = this.state;
    const index = chain.findIndex(({ tag, offset }) => tag === after.tag && offset === after.offset);
    const missed = chain.slice(index + 1);
    const isProven = index !== -1 && missed.length <= held;
    const read = await this.adapter.read(this.name, { after }, this.history);
    deepEqual(read.recovered, isProven);
    deepEqual(read.publications.map(({ position }) => position), isProven ? missed : []);
    deepEqual(read.position, chain.at(-1));
  }
}

it('a history in Redis proves what a list would, whatever its size, after lost tails and expiry too', async () => {
  const redis = cleanup(await RedisServer.start());
  const { adapter } = await startNode({ url: redis.url });
  cleanup(adapter);
  let count = 0;
  await redis.use((client) =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { minLength: 5, maxLength: 40 }), async (size, steps) => {
        const channel = await Channel.begin(adapter, client, `model:${count++}`, size);
        for (const each of steps) await channel.do(each);
        expect(count).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    ),
  );
});
