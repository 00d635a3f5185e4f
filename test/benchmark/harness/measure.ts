import type { Contender } from './contenders';
import { startLoad } from './contenders';
import type { LineProcess } from './line-process';

/** A run that lost or repeated a message is no measurement. */
export class DeliveryError extends Error {
  override name = 'DeliveryError';
}

export interface Usage {
  cpu: { user: number; system: number };
  rss: number;
}

export interface Counts {
  received: number;
  min: number;
  max: number;
  latencies: number[];
  errors: number;
  open: number;
}

/** A server and the processes that drive it. */
export class Stage {
  private constructor(
    readonly contender: Contender,
    readonly server: LineProcess,
    readonly port: number,
    readonly load: LineProcess,
  ) {}

  static async open(contender: Contender, env?: Record<string, string>): Promise<Stage> {
    const server = contender.start(env);
    const { port } = await server.next<{ port: number }>();
    return new Stage(contender, server, port, startLoad('load'));
  }

  connect(channels: string[][], options: { concurrency?: number; sampleEvery?: number; deflate?: boolean } = {}): Promise<{ ms: number }> {
    const { concurrency = 100, sampleEvery = 0, deflate } = options;
    const { port, contender } = this;
    return this.load.ask({ op: 'connect', port, dialect: contender.dialect, channels, concurrency, sampleEvery, deflate });
  }

  usage(): Promise<Usage> {
    return this.server.ask<Usage>({ op: 'usage' });
  }

  async close(): Promise<void> {
    await Promise.all([this.server.stop(), this.load.stop()]);
  }
}

/** CPU time between two looks, in µs. */
export function cpuBetween(before: Usage, after: Usage): number {
  return after.cpu.user - before.cpu.user + (after.cpu.system - before.cpu.system);
}

/** @throws DeliveryError */
export function assertDelivered(what: string, counts: Counts, expected: number): void {
  if (counts.received === expected) return;
  throw new DeliveryError(`${what}: ${counts.received} of ${expected} messages were delivered`);
}

/** A percentile of all samples together. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}
