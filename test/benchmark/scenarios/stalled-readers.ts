import { realtime } from '../harness/contenders';
import { assertDelivered, type Counts, percentile, Stage } from '../harness/measure';

export interface StalledReadersResult {
  connections: number;
  stalled: number;
  /** Slow consumers that were disconnected. */
  evicted: number;
  /** Latency of the others, in ms. */
  p50: number;
  p99: number;
  /** Growth of the server's memory, in MiB, and the bound that the configured limits give. */
  growth: number;
  bound: number;
}

const SEND_QUEUE_BYTES = 1_048_576;

/** Ten thousand connections of which every tenth stops reading: the others must lose nothing and wait for nobody. */
export async function stalledReaders(count: number, publications: number, payload: number): Promise<StalledReadersResult> {
  const stage = await Stage.open(realtime);
  try {
    await stage.connect(Array.from({ length: count }, () => ['bench-all']), { sampleEvery: 50 });
    const publish = { op: 'publish', channels: ['bench-all'], perTick: 1, intervalMs: 50, payload };
    await stage.server.ask({ ...publish, ticks: 3 });
    await stage.load.ask({ op: 'await', received: 3 * count, timeoutMs: 60_000 });
    const { stalled } = await stage.load.ask<{ stalled: number }>({ op: 'stall', every: 10 });
    await stage.load.ask({ op: 'reset' });
    await stage.server.ask({ op: 'collect' });
    const before = await stage.usage();

    await stage.server.ask({ ...publish, ticks: publications });
    const expected = publications * (count - stalled);
    const counts = await stage.load.ask<Counts>({ op: 'await', received: expected, timeoutMs: 180_000 });
    const after = await stage.usage();
    assertDelivered('the readers that keep up', counts, expected);
    const { evicted } = await stage.server.ask<{ evicted: number }>({ op: 'stats' });
    return {
      connections: count,
      stalled,
      evicted,
      p50: percentile(counts.latencies, 50) / 1000,
      p99: percentile(counts.latencies, 99) / 1000,
      growth: (after.rss - before.rss) / 1_048_576,
      bound: (stalled * SEND_QUEUE_BYTES) / 1_048_576,
    };
  } finally {
    await stage.close();
  }
}
