import { realtime, startLoad } from '../harness/contenders';
import { assertDelivered, type Counts, percentile, Stage } from '../harness/measure';

export interface LargeChannelResult {
  subscribers: number;
  /** Longest stretch for which the server's event loop did nothing else, in ms. */
  longestStretch: number;
  /** From publication to receipt on the large channel, in ms. */
  largeP99: number;
  /** The same on a second, small channel that is published to meanwhile. */
  smallP50: number;
  smallP99: number;
}

/** A channel with very many subscribers, and a small one that has to get through beside it. */
export async function largeChannel(subscribers: number, publications: number): Promise<LargeChannelResult> {
  const stage = await Stage.open(realtime);
  const second = startLoad('second load');
  try {
    const { port } = stage;
    await stage.connect(Array.from({ length: subscribers - 100 }, () => ['bench-large']), { sampleEvery: 20 });
    const small = Array.from({ length: 50 }, () => ['bench-small']);
    await second.ask({ op: 'connect', port, dialect: 'realtime', channels: small, concurrency: 10, sampleEvery: 1 });
    const publish = { op: 'publish', perTick: 2, channels: ['bench-large', 'bench-small'], intervalMs: 400, payload: 167 };
    await stage.server.ask({ ...publish, ticks: 5 });
    await stage.load.ask({ op: 'await', received: 5 * (subscribers - 100), timeoutMs: 60_000 });
    await stage.load.ask({ op: 'reset' });
    await second.ask({ op: 'reset' });

    await stage.server.ask({ op: 'lag', on: true });
    await stage.server.ask({ ...publish, ticks: publications });
    const expected = publications * (subscribers - 100);
    const large = await stage.load.ask<Counts>({ op: 'await', received: expected, timeoutMs: 120_000 });
    const smallCounts = await second.ask<Counts>({ op: 'await', received: publications * 50, timeoutMs: 10_000 });
    const { longestMs } = await stage.server.ask<{ longestMs: number }>({ op: 'lag', on: false });
    assertDelivered('large channel', large, expected);
    assertDelivered('small channel', smallCounts, publications * 50);
    return {
      subscribers: subscribers - 100,
      longestStretch: longestMs,
      largeP99: percentile(large.latencies, 99) / 1000,
      smallP50: percentile(smallCounts.latencies, 50) / 1000,
      smallP99: percentile(smallCounts.latencies, 99) / 1000,
    };
  } finally {
    await Promise.all([stage.close(), second.stop()]);
  }
}
