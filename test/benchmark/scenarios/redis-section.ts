import { bareRedis, type Contender, realtime, socketIoOverRedis } from '../harness/contenders';
import { median, percentile } from '../harness/measure';
import { redisVersion } from '../harness/redis';
import { round, table } from '../harness/report';
import { fanOut, type FanOutOptions } from './fan-out';
import { bareHop, crossing, type CrossingResult, flood, type FloodResult, remoteFanOut } from './redis';

const MESSAGES = 1000;
const PUBLICATIONS = 100_000;

/** Several instances over Redis, as Markdown. @param local the fan-out in one process that the one over Redis is put beside */
export async function redisSection(runs: number, local: FanOutOptions): Promise<string> {
  const version = redisVersion();
  if (version === undefined) return '### Over Redis\n\nLeft out: there is no `redis-server` on PATH.';
  const parts = [await crossings(runs), await publications(runs), await receivers(runs, local)];
  return `### Over Redis ${version}: two instances, 167-byte messages\n\n${parts.join('\n\n')}`;
}

async function crossings(runs: number): Promise<string> {
  const bare: number[] = [];
  const results = new Map<Contender, CrossingResult[]>([[realtime, []], [socketIoOverRedis, []]]);
  for (let run = 0; run < runs; run++) {
    bare.push(...(await bareHop(MESSAGES)));
    for (const [contender, all] of results) all.push(await crossing(contender, MESSAGES));
  }
  const [p50, p99] = [percentile(bare, 50), percentile(bare, 99)];
  const rows: (string | number)[][] = [...results].map(([{ name }, all]) => {
    const added = all.flatMap((result) => result.crossings);
    const ends = [all.flatMap((result) => result.local), all.flatMap((result) => result.remote)];
    const [mine50, mine99] = [percentile(added, 50), percentile(added, 99)];
    const cells = [mine50, mine99].map((value, i) => `${ms(value)} (${round(value / [p50, p99][i]!)} ×)`);
    return [name, ...ends.map((samples) => ms(percentile(samples, 50))), ...cells, all[0]!.connections];
  });
  rows.push(['ioredis alone, `publish` to the event', '–', '–', ms(p50), ms(p99), '2']);
  const head = ['', 'same instance, p50 ms', 'other instance, p50 ms', 'added by crossing, p50 ms', 'p99 ms', 'Redis connections an instance'];
  return `Latency, one message at a time, to one client on each instance; what crossing adds is taken message by message\n\n${table(head, rows)}`;
}

function ms(micros: number): string {
  return round(micros / 1000);
}

async function publications(runs: number): Promise<string> {
  const results = new Map<Contender, FloodResult[]>([[realtime, []], [socketIoOverRedis, []], [bareRedis, []]]);
  for (let run = 0; run < runs; run++) {
    for (const [contender, all] of results) all.push(await flood(contender, PUBLICATIONS));
  }
  const rate = (all: readonly FloodResult[]): number => median(all.map(({ perSecond }) => perSecond));
  const theirs = rate(results.get(socketIoOverRedis)!);
  const rows = [...results].map(([{ name }, all]) => [
    name,
    Math.round(rate(all)),
    `${round(rate(all) / theirs)} ×`,
    ...(['publisherCpu', 'redisCpu', 'receiverCpu'] as const).map((field) => round(median(all.map((result) => result[field])))),
  ]);
  const head = ['', 'publications a second', 'to Socket.IO', 'publisher CPU, µs each', 'Redis CPU, µs each', 'receiver CPU, µs each'];
  return `One instance publishes ${PUBLICATIONS.toLocaleString('en')} messages, one client of the other gets them all\n\n${table(head, rows)}`;
}

async function receivers(runs: number, options: FanOutOptions): Promise<string> {
  const rows: string[][] = [];
  for (const perTick of [1, 10]) {
    const [ours, inProcess, theirs]: number[][] = [[], [], []];
    for (let run = 0; run < runs; run++) {
      inProcess!.push((await fanOut(realtime, { ...options, perTick })).cpu);
      ours!.push(await remoteFanOut(realtime, perTick, options.ticks));
      theirs!.push(await remoteFanOut(socketIoOverRedis, perTick, Math.ceil(options.ticks / perTick)));
    }
    rows.push([String(perTick), ...[ours, inProcess, theirs].map((all) => round(median(all!)))]);
  }
  const head = ['messages a tick', 'published on the other instance, µs', 'published on the same, no Redis, µs', socketIoOverRedis.name];
  return `CPU of the receiving instance for one delivery, 1,000 subscribers\n\n${table(head, rows)}`;
}
