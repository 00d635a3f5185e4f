import type { Contender } from '../harness/contenders';
import { assertDelivered, type Counts, cpuBetween, percentile, Stage } from '../harness/measure';

export interface FanOutOptions {
  subscribers: number;
  perTick: number;
  ticks: number;
  intervalMs: number;
  payload: number;
  /** How many channels there are, and how many of them each connection takes, at different places. */
  channels?: number;
  channelsEach?: number;
  env?: Record<string, string>;
}

export interface FanOutResult {
  /** Server CPU per delivery, in µs. */
  cpu: number;
  perSecond: number;
  p50: number;
  p99: number;
  latencies: number[];
}

/** One channel (or many), its subscribers, and so many publications a turn of the server's event loop. */
export async function fanOut(contender: Contender, options: FanOutOptions): Promise<FanOutResult> {
  const { subscribers, perTick, ticks, intervalMs, payload, channels = 1, channelsEach = 1, env } = options;
  const names = Array.from({ length: channels }, (_, i) => `bench-${i}`);
  const held = Array.from({ length: subscribers }, (_, i) =>
    Array.from({ length: channelsEach }, (_unused, j) => names[(i * 7 + j * (1 + (i % 5))) % channels]!),
  ).map((own) => [...new Set(own)]);
  const stage = await Stage.open(contender, env);
  try {
    await stage.connect(held, { sampleEvery: 50, deflate: env?.BENCH_DEFLATE === '1' });
    const publish = { op: 'publish', channels: names, perTick, intervalMs, payload };
    const perMessage = held.reduce((sum, own) => sum + own.length, 0) / channels;
    const deliveries = (publications: number): number => Math.round((publications * perMessage));

    // Warm: the compiler has seen it all before anything is counted.
    const warmUp = Math.max(30, Math.ceil(channels / perTick));
    await stage.server.ask({ ...publish, ticks: roundTo(warmUp, channels, perTick) });
    await stage.load.ask({ op: 'await', received: deliveries(roundTo(warmUp, channels, perTick) * perTick), timeoutMs: 60_000 });
    await stage.load.ask({ op: 'reset' });

    const counted = roundTo(ticks, channels, perTick);
    const expected = deliveries(counted * perTick);
    const before = await stage.usage();
    const started = performance.now();
    await stage.server.ask({ ...publish, ticks: counted });
    const counts = await stage.load.ask<Counts>({ op: 'await', received: expected, timeoutMs: 60_000 });
    const seconds = (performance.now() - started) / 1000;
    const after = await stage.usage();
    assertDelivered(contender.name, counts, expected);
    return {
      cpu: cpuBetween(before, after) / expected,
      perSecond: expected / seconds,
      p50: percentile(counts.latencies, 50) / 1000,
      p99: percentile(counts.latencies, 99) / 1000,
      latencies: counts.latencies,
    };
  } finally {
    await stage.close();
  }
}

/** So many ticks that every channel gets the same number of publications. */
function roundTo(ticks: number, channels: number, perTick: number): number {
  let rounded = ticks;
  while ((rounded * perTick) % channels !== 0) rounded++;
  return rounded;
}
