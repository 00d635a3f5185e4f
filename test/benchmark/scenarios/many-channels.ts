import { realtime, startLoad } from '../harness/contenders';
import { assertDelivered, type Counts, cpuBetween, Stage } from '../harness/measure';

/** Server CPU for one publication to a channel with 100 subscribers, in µs, beside so many others. */
export async function manyChannels(otherConnections: number, channelsEach: number, publications: number): Promise<number> {
  const stage = await Stage.open(realtime);
  const others = startLoad('others');
  try {
    const { port } = stage;
    const channels = Array.from({ length: otherConnections }, (_, i) =>
      Array.from({ length: channelsEach }, (_unused, j) => `bench-other-${i}-${j}`),
    );
    await others.ask({ op: 'connect', port, dialect: 'realtime', channels, concurrency: 50, sampleEvery: 0 });
    await stage.connect(Array.from({ length: 100 }, () => ['bench-measured']));
    const publish = { op: 'publish', channels: ['bench-measured'], perTick: 1, intervalMs: 2, payload: 167 };
    await stage.server.ask({ ...publish, ticks: 300 });
    await stage.load.ask({ op: 'await', received: 300 * 100, timeoutMs: 30_000 });
    await stage.load.ask({ op: 'reset' });
    await stage.server.ask({ op: 'collect' });

    const before = await stage.usage();
    await stage.server.ask({ ...publish, ticks: publications });
    const counts = await stage.load.ask<Counts>({ op: 'await', received: publications * 100, timeoutMs: 60_000 });
    const after = await stage.usage();
    assertDelivered('many channels', counts, publications * 100);
    return cpuBetween(before, after) / publications;
  } finally {
    await Promise.all([stage.close(), others.stop()]);
  }
}
