import { type Contender, realtime, socketIoOverRedis } from '../harness/contenders';
import { median } from '../harness/measure';
import { redisVersion } from '../harness/redis';
import { round, table } from '../harness/report';
import { socketIoStreams, withHistory } from './recovery';
import { flood, type FloodResult } from './redis';

const PUBLICATIONS = 20_000;
const FIELDS = ['publisherCpu', 'redisCpu', 'receiverCpu'] as const;

/** Publishing on a channel that keeps its publications beside one that does not, to one client of another instance. */
export async function historySection(runs: number): Promise<string> {
  if (redisVersion() === undefined) return '### History\n\nLeft out: there is no `redis-server` on PATH.';
  const pairs: [Contender, Contender][] = [
    [realtime, withHistory],
    [socketIoOverRedis, socketIoStreams],
  ];
  const results = new Map<Contender, FloodResult[]>(pairs.flat().map((contender) => [contender, []]));
  for (let run = 0; run < runs; run++) {
    for (const [contender, all] of results) all.push(await flood(contender, PUBLICATIONS));
  }
  const of = (contender: Contender, field: keyof FloodResult): number => median(results.get(contender)!.map((result) => result[field]));
  const rows = pairs.flatMap(([without, kept]) => [without, kept].map((contender) => [
    contender.name,
    Math.round(of(contender, 'perSecond')),
    ...FIELDS.map((field) => round(of(contender, field))),
    `${round(costOf(of, contender) / costOf(of, without))} ×`,
  ]));
  const head = ['', 'publications a second', ...['publisher', 'Redis', 'receiver'].map((who) => `${who} CPU, µs each`), 'CPU of all to without'];
  return `### Publishing with history: 167-byte messages to one client of another instance\n\n${table(head, rows)}`;
}

/** CPU of everybody for one publication. */
function costOf(of: (contender: Contender, field: keyof FloodResult) => number, contender: Contender): number {
  return FIELDS.reduce((sum, field) => sum + of(contender, field), 0);
}
