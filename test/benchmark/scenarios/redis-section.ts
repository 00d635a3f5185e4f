import { bareRedis, type Contender, realtime, socketIoOverRedis } from '../harness/contenders';
import { median, percentile } from '../harness/measure';
import { redisVersion } from '../harness/redis';
import { round, table } from '../harness/report';
import { fanOut, type FanOutOptions } from './fan-out';
import { crossing, type CrossingResult, flood, type FloodResult, hop, remoteFanOut } from './redis';

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
  const hops = new Map<Contender, number[]>([[realtime, []], [bareRedis, []]]);
  const results = new Map<Contender, CrossingResult[]>([[realtime, []], [socketIoOverRedis, []]]);
  for (let run = 0; run < runs; run++) {
    for (const [contender, all] of hops) all.push(...(await hop(contender, MESSAGES)));
    for (const [contender, all] of results) all.push(await crossing(contender, MESSAGES));
  }
  const bare = hops.get(bareRedis)!;
  const toBare = (samples: readonly number[]): string[] =>
    [50, 99].map((p) => `${ms(percentile(samples, p))} (${round(percentile(samples, p) / percentile(bare, p))} ×)`);
  const clients = [...results].map(([{ name }, all]) => {
    const ends = [all.flatMap((result) => result.local), all.flatMap((result) => result.remote)];
    const added = toBare(all.flatMap((result) => result.crossings));
    return [name, ...ends.map((samples) => ms(percentile(samples, 50))), ...added, all[0]!.connections];
  });
  const head = ['', 'client of the same instance, p50 ms', 'of the other, p50 ms', 'added by crossing, p50 ms', 'p99 ms', 'Redis connections an instance'];
  const hopTable = table(['', 'p50 ms', 'p99 ms'], [...hops].map(([{ name }, all]) => [name, ...toBare(all)]));
  return [
    'The hop: one message at a time, from `publish` in one process to a subscriber in the other, no sockets to clients',
    hopTable,
    'To one client on each instance; what crossing adds is taken message by message, and put beside the hop of ioredis alone',
    table(head, clients),
  ].join('\n\n');
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
