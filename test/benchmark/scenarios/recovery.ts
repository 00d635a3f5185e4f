import { join } from 'node:path';
import { type Contender, realtime, socketIoOverRedis } from '../harness/contenders';
import { LineProcess } from '../harness/line-process';
import { cpuBetween, DeliveryError, median, type Usage } from '../harness/measure';
import { BenchRedis, redisVersion } from '../harness/redis';
import { round, table } from '../harness/report';

/** What keeps messages for clients that come back. */
export const withHistory: Contender = {
  ...realtime,
  name: 'nestjs-realtime, with history',
  start: (env) => realtime.start({ ...env, BENCH_HISTORY: '1' }),
};
export const socketIoStreams: Contender = {
  ...socketIoOverRedis,
  name: 'Nest Socket.IO, redis-streams-adapter',
  start: (env) => socketIoOverRedis.start({ ...env, BENCH_HISTORY: '1' }),
};

export interface RecoveryResult {
  /** From the first connection attempt to the last message of the last client, in ms. */
  ms: number;
  /** CPU of the server and of Redis meanwhile, in ms. */
  serverCpu: number;
  redisCpu: number;
  /** Largest resident set of the server meanwhile, and how much of it was there before, in MiB. */
  rssPeak: number;
  rssBefore: number;
}

const CLIENTS = Number(process.env.BENCH_RECOVERY_CLIENTS ?? 5000);
const MISSED = 100;
const PAYLOAD = 167;
/** Connections of the load process under way at a time: as many as a listening socket's queue takes. */
const CONCURRENCY = 500;
const TIMEOUT = 180_000;

/** Everybody is cut off, misses some messages, and comes back at once. */
export async function recovery(contender: Contender, channels: number): Promise<RecoveryResult> {
  const redis = await BenchRedis.start();
  const server = contender.start({ BENCH_REDIS: redis.url });
  const { port } = await server.next<{ port: number }>();
  const load = LineProcess.start('load', process.execPath, [join(__dirname, '..', 'harness', 'recovery-load-process.js')]);
  try {
    const names = Array.from({ length: channels }, (_, i) => `bench-${i}`);
    const held = Array.from({ length: CLIENTS }, (_, i) => names[i % channels]!);
    await load.ask({ op: 'connect', port, dialect: contender.dialect, channels: held, concurrency: 100 });
    const publish = (perChannel: number): Promise<unknown> =>
      server.ask({ op: 'publish', channels: names, ticks: perChannel, perTick: channels, intervalMs: 10, payload: PAYLOAD });
    await publish(1);
    await load.ask({ op: 'positions' });
    await load.ask({ op: 'drop' });
    // Socket.IO writes a session for each of them now.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await publish(MISSED);
    await server.ask({ op: 'collect' });
    const [before, redisBefore] = [await server.ask<Usage>({ op: 'usage' }), await redis.cpu()];
    const peak = new PeakWatch(server);
    const { ms, received } = await load.ask<{ ms: number; received: number }>({
      op: 'recover',
      missed: MISSED,
      concurrency: CONCURRENCY,
      timeoutMs: TIMEOUT,
    });
    const after = await peak.stop();
    if (received !== CLIENTS * MISSED) throw new DeliveryError(`${contender.name}: ${received} of ${CLIENTS * MISSED} came back`);
    return {
      ms,
      serverCpu: cpuBetween(before, after) / 1000,
      redisCpu: ((await redis.cpu()) - redisBefore) / 1000,
      rssPeak: Math.max(peak.rss, after.rss) / 2 ** 20,
      rssBefore: before.rss / 2 ** 20,
    };
  } finally {
    await Promise.all([server.stop(), load.stop()]);
    await redis.stop();
  }
}

/** Looks at a server's memory again and again. */
class PeakWatch {
  rss = 0;
  private stopped = false;
  private readonly watching: Promise<Usage>;

  constructor(private readonly server: LineProcess) {
    this.watching = this.watch();
  }

  stop(): Promise<Usage> {
    this.stopped = true;
    return this.watching;
  }

  private async watch(): Promise<Usage> {
    for (;;) {
      const usage = await this.server.ask<Usage>({ op: 'usage' });
      this.rss = Math.max(this.rss, usage.rss);
      if (this.stopped) return usage;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

export async function recoverySection(runs: number): Promise<string> {
  if (redisVersion() === undefined) return '### Recovery\n\nLeft out: there is no `redis-server` on PATH.';
  const cases: [string, Contender, number][] = [
    [withHistory.name, withHistory, 1],
    [socketIoStreams.name, socketIoStreams, 1],
    [`${withHistory.name}, 50 channels`, withHistory, 50],
  ];
  const results = cases.map((): RecoveryResult[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, [, contender, channels]] of cases.entries()) results[index]!.push(await recovery(contender, channels));
  }
  const rows = cases.map(([name], index) => {
    const of = (field: keyof RecoveryResult): number => median(results[index]!.map((result) => result[field]));
    return [name, ...(['ms', 'serverCpu', 'redisCpu', 'rssBefore', 'rssPeak'] as const).map((field) => round(of(field), 0))];
  });
  const head = ['', 'until the last one has it all, ms', 'server CPU, ms', 'Redis CPU, ms', 'RSS before, MiB', 'RSS at most, MiB'];
  const title = `### ${CLIENTS.toLocaleString('en')} clients come back at once, each has missed ${MISSED} messages`;
  return `${title}\n\n(The time includes the connections. Ours with a bearer guard on.)\n\n${table(head, rows)}`;
}
