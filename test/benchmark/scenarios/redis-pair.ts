import { type Contender, startLoad } from '../harness/contenders';
import type { LineProcess } from '../harness/line-process';
import type { Usage } from '../harness/measure';
import { BenchRedis } from '../harness/redis';

/** The channel that everything is published on. */
export const CHANNEL = 'bench-0';

/** Two instances of a system over one Redis: one publishes, the other receives. */
export class RedisPair {
  private readonly loads: LineProcess[] = [];

  private constructor(
    readonly redis: BenchRedis,
    readonly contender: Contender,
    readonly publisher: LineProcess,
    readonly receiver: LineProcess,
    private readonly ports: ReadonlyMap<LineProcess, number>,
  ) {}

  /** @param record whether the receiver reads what comes in itself; `stats` has it */
  static async open(contender: Contender, record = false): Promise<RedisPair> {
    const redis = await BenchRedis.start();
    const env = { BENCH_REDIS: redis.url };
    const [publisher, receiver] = [contender.start(env), contender.start({ ...env, BENCH_RECORD: record ? '1' : '0' })];
    const ports = new Map<LineProcess, number>();
    for (const server of [publisher, receiver]) ports.set(server, (await server.next<{ port: number }>()).port);
    return new RedisPair(redis, contender, publisher, receiver, ports);
  }

  /** Subscribers of the channel at one of the instances, in a process of their own. */
  async connect(server: LineProcess, subscribers: number, sampleEvery: number): Promise<LineProcess> {
    const load = startLoad('load');
    this.loads.push(load);
    const channels = Array.from({ length: subscribers }, () => [CHANNEL]);
    const { dialect } = this.contender;
    await load.ask({ op: 'connect', port: this.ports.get(server), dialect, channels, concurrency: 50, sampleEvery });
    return load;
  }

  usage(server: LineProcess): Promise<Usage> {
    return server.ask<Usage>({ op: 'usage' });
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher, this.receiver, ...this.loads].map((one) => one.stop()));
    await this.redis.stop();
  }
}
