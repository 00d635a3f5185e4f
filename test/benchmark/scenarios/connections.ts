import type { Contender } from '../harness/contenders';
import { Stage } from '../harness/measure';

export interface ConnectionsResult {
  /** Resident memory of the server for each idle connection, in bytes. */
  rss: number;
  /** Connections a second, from the TCP connect to the confirmed subscription. */
  accepts: number;
}

/** Idle connections: what they take, and how fast they come in. @param subscribed whether each takes one channel */
export async function connections(contender: Contender, count: number, subscribed = true): Promise<ConnectionsResult> {
  const stage = await Stage.open(contender);
  try {
    const channel = (i: number): string[] => (subscribed ? [`bench-${i % 100}`] : []);
    // The first ones pay for the compiler and for pools; they are not counted.
    await stage.connect(Array.from({ length: 500 }, (_, i) => channel(i)));
    await stage.server.ask({ op: 'collect' });
    const before = await stage.usage();
    const { ms } = await stage.connect(Array.from({ length: count }, (_, i) => channel(i)), { concurrency: 200 });
    await settle();
    await stage.server.ask({ op: 'collect' });
    await settle();
    const after = await stage.usage();
    return { rss: (after.rss - before.rss) / count, accepts: count / (ms / 1000) };
  } finally {
    await stage.close();
  }
}

/** Garbage goes, and the allocator gives pages back, a little later. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_500));
}
