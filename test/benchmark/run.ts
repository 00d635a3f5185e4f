import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from './harness/chart';
import { contenders, nestSocketIo, realtime, wsLoop } from './harness/contenders';
import { median, percentile } from './harness/measure';
import { machine, round, table } from './harness/report';
import { type Section, writeResults } from './harness/results-file';
import { connections, type ConnectionsResult } from './scenarios/connections';
import { fanOut, type FanOutOptions, type FanOutResult } from './scenarios/fan-out';
import { historySection } from './scenarios/history';
import { largeChannel, type LargeChannelResult } from './scenarios/large-channel';
import { manyChannels } from './scenarios/many-channels';
import { recoverySection } from './scenarios/recovery';
import { redisSection } from './scenarios/redis-section';
import { referenceE } from './scenarios/reference-e';
import { stalledReaders } from './scenarios/stalled-readers';

/**
 * npm run bench                        all scenarios
 * npm run bench -- fan-out idle        those named
 * npm run bench -- --runs 1            one run of each instead of three
 * npm run bench -- --write             also writes RESULTS.md and the chart
 * npm run bench -- redis --write       the same for those named; what others left in RESULTS.md stays
 */
const args = process.argv.slice(2);
const runs = args.includes('--runs') ? Number(args[args.indexOf('--runs') + 1]) : 3;
const write = args.includes('--write');
const chosen = args.filter((arg, i) => !arg.startsWith('--') && args[i - 1] !== '--runs');

const ROOT = join(__dirname, '..');
const BASE: FanOutOptions = { subscribers: 1000, perTick: 1, ticks: 300, intervalMs: 10, payload: 167 };
/** The file descriptors that a process may have open set the size of the largest channel. */
const LARGE = Number(process.env.BENCH_LARGE ?? 19_000);

interface Row {
  name: string;
  cpu: number;
  perSecond: number;
  p50: number;
  p99: number;
}

const charts: { name: string; bars: { label: string; value: number; own?: boolean }[] }[] = [];

/** Every contender in turn, run after run, so that a machine that slows down slows all of them. */
async function compare(options: FanOutOptions, among = contenders()): Promise<Row[]> {
  const results = new Map<string, FanOutResult[]>(among.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const contender of among) results.get(contender.name)!.push(await fanOut(contender, options));
  }
  return [...results].map(([name, all]) => {
    const latencies = all.flatMap((result) => result.latencies);
    return {
      name,
      cpu: median(all.map(({ cpu }) => cpu)),
      perSecond: median(all.map(({ perSecond }) => perSecond)),
      p50: percentile(latencies, 50) / 1000,
      p99: percentile(latencies, 99) / 1000,
    };
  });
}

function fanOutTable(rows: readonly Row[]): string {
  const own = rows.find(({ name }) => name === realtime.name)!;
  return table(
    ['', 'server CPU a delivery, µs', 'to ours', 'deliveries a second', 'p50, ms', 'p99, ms'],
    rows.map(({ name, cpu, perSecond, p50, p99 }) => [name, round(cpu), `${round(cpu / own.cpu)} ×`, Math.round(perSecond), latency(p50), latency(p99)]),
  );
}

/** Compressed messages are not looked into. */
function latency(ms: number): string {
  return Number.isNaN(ms) ? '–' : round(ms, 1);
}

function chart(name: string, rows: readonly Row[]): void {
  charts.push({ name, bars: rows.map((row) => ({ label: row.name, value: row.cpu, own: row.name === realtime.name })) });
}

const scenarios: Record<string, () => Promise<string>> = {
  'fan-out': async () => {
    const one = await compare(BASE);
    const ten = await compare({ ...BASE, perTick: 10 });
    chart('1 message a tick', one);
    chart('10 messages a tick', ten);
    return `### Fan-out: 1,000 subscribers, 167-byte frames\n\n1 message a tick\n\n${fanOutTable(one)}\n\n10 messages a tick\n\n${fanOutTable(ten)}`;
  },
  mixed: async () => {
    // Half of the channels each tick: ten messages a tick for each connection, in another combination for each.
    const options = { ...BASE, subscribers: 500, perTick: 50, ticks: 200, channels: 100, channelsEach: 20 };
    const rows = await compare(options, [realtime, wsLoop, nestSocketIo]);
    return `### Every connection with another mix of 20 out of 100 channels, 10 messages a tick for each\n\n${fanOutTable(rows)}`;
  },
  compression: async () => {
    const options = { ...BASE, subscribers: 500, ticks: 100, payload: 2048, env: { BENCH_DEFLATE: '1' } };
    const rows = await compare(options, [realtime, wsLoop, nestSocketIo]);
    return `### permessage-deflate: 500 subscribers, 2,048-byte messages, 1 a tick\n\n${fanOutTable(rows)}`;
  },
  idle: async () => {
    const rows = [];
    for (const contender of contenders()) {
      const all: ConnectionsResult[] = [];
      for (let run = 0; run < runs; run++) all.push(await connections(contender, 8000));
      rows.push([contender.name, round(median(all.map(({ rss }) => rss)) / 1024, 1), Math.round(median(all.map(({ accepts }) => accepts)))]);
    }
    const head = ['', 'RSS a connection, KiB', 'connected and subscribed a second'];
    return `### 8,000 idle connections, each subscribed to one channel\n\n(Ours with a bearer guard on, and a subscription confirmed in a second round trip.)\n\n${table(head, rows)}`;
  },
  accept: async () => {
    const rows = [];
    for (const contender of [realtime, wsLoop]) {
      const all: number[] = [];
      for (let run = 0; run < runs; run++) all.push((await connections(contender, 6000, false)).accepts);
      rows.push([contender.name, Math.round(median(all))]);
    }
    return `### Connections accepted a second\n\n(Ours with a bearer guard on, up to the \`connected\` frame.)\n\n${table(['', 'a second'], rows)}`;
  },
  large: async () => {
    const all: LargeChannelResult[] = [];
    for (let run = 0; run < runs; run++) all.push(await largeChannel(LARGE, 8));
    const row = (name: string, pick: (result: (typeof all)[number]) => number): [string, string] => [name, round(median(all.map(pick)), 1)];
    const rows = [
      row('longest stretch of the event loop, ms', (result) => result.longestStretch),
      row('large channel, p99 ms', (result) => result.largeP99),
      row('second channel meanwhile, p50 ms', (result) => result.smallP50),
      row('second channel meanwhile, p99 ms', (result) => result.smallP99),
    ];
    return `### A channel with ${all[0]!.subscribers} subscribers\n\n${table(['', ''], rows)}`;
  },
  many: async () => {
    const alone: number[] = [];
    const crowded: number[] = [];
    for (let run = 0; run < runs; run++) {
      alone.push(await manyChannels(0, 0, 2000));
      crowded.push(await manyChannels(10_000, 10, 2000));
    }
    const rows = [
      ['nothing else', round(median(alone), 0)],
      ['100,000 other channels on 10,000 other connections', round(median(crowded), 0)],
    ];
    return `### One publication to 100 subscribers\n\n${table(['beside', 'server CPU, µs'], rows)}`;
  },
  stalled: async () => {
    // Many connections that the kernel's own buffers hide the stall of, and fewer that overrun them.
    const rows = [];
    for (const [count, publications, payload] of [[10_000, 30, 4096], [400, 1000, 16_384]] as const) {
      const result = await stalledReaders(count, publications, payload);
      rows.push([result.connections, result.stalled, result.evicted, round(result.p50, 1), round(result.p99, 1), round(result.growth, 0), result.bound]);
    }
    const head = ['connections', 'stalled', 'disconnected as slow', 'p50 of the others, ms', 'p99, ms', 'memory growth, MiB', 'bound, MiB'];
    return `### One in ten connections stops reading; the others get everything\n\n${table(head, rows)}`;
  },
  redis: () => redisSection(runs, BASE),
  history: () => historySection(runs),
  recovery: () => recoverySection(runs),
  'reference-e': async () => {
    const rows = (await referenceE()).map(({ name, operations, perOperation, delivered }) => [name, operations, round(perOperation), delivered]);
    return `### The nine benchmarks of reference E\n\n${table(['', 'operations', 'µs an operation, delivered and read', 'messages delivered'], rows)}`;
  },
};

async function main(): Promise<void> {
  const names = chosen.length > 0 ? chosen : Object.keys(scenarios);
  const unknown = names.find((name) => !(name in scenarios));
  if (unknown) throw new Error(`no scenario "${unknown}"; there are ${Object.keys(scenarios).join(', ')}`);
  const measured = `${runs === 1 ? 'One run' : `Median of ${runs} runs`}, percentiles over the samples of all runs.`;
  const on = `${new Date().toISOString().slice(0, 10)}; ${machine()}`;
  console.log(`${on}. ${measured}`);
  const sections: Section[] = [];
  for (const name of names) {
    const section = await scenarios[name]!();
    sections.push([name, section]);
    console.log(`\n${section}`);
  }
  if (!write) return;
  const folder = join(ROOT, 'test', 'benchmark');
  writeResults(join(folder, 'RESULTS.md'), sections, `*${measured} ${on}.*`);
  if (charts.length > 0) writeFileSync(join(folder, 'fan-out.svg'), barChart('Server CPU for one delivered message', 'µs', charts));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
