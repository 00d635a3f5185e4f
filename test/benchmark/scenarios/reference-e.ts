import { join } from 'node:path';
import { realtime } from '../harness/contenders';
import type { Exchange } from '../harness/load-process';
import { assertDelivered, type Counts, DeliveryError, Stage } from '../harness/measure';

export interface ReferenceResult {
  name: string;
  operations: number;
  /** Wall time for one operation, until everything it caused was delivered and read, in µs. */
  perOperation: number;
  delivered: number;
}

interface Calls {
  name: string;
  connections: string[][];
  method: 'publish' | 'broadcast';
  channels: string[];
  count: number;
  parallel: number;
  /** Deliveries for one call. */
  fanOut: number;
}

const times = (count: number, channels: string[]): string[][] => Array.from({ length: count }, () => channels);
const tenChannels = Array.from({ length: 10 }, (_, i) => `bench-${i}`);

/** Those that are calls on the hub, from the process that holds it. */
export const CALLS: readonly Calls[] = [
  { name: 'Broadcast_100', connections: times(100, []), method: 'broadcast', channels: [], count: 5_000, parallel: 1, fanOut: 100 },
  { name: 'SendToChannel_50', connections: times(50, ['bench-a']), method: 'publish', channels: ['bench-a'], count: 5_000, parallel: 1, fanOut: 50 },
  { name: 'Broadcast_Parallel', connections: times(100, []), method: 'broadcast', channels: [], count: 20_000, parallel: 20, fanOut: 100 },
  { name: 'SendToChannel_Parallel', connections: times(50, ['bench-a']), method: 'publish', channels: ['bench-a'], count: 20_000, parallel: 20, fanOut: 50 },
  {
    name: 'MultiChannelFanout',
    connections: tenChannels.flatMap((channel) => times(10, [channel])),
    method: 'publish', channels: tenChannels, count: 20_000, parallel: 10, fanOut: 10,
  },
  { name: 'ConcurrentSubscribers', connections: times(100, ['bench-a']), method: 'publish', channels: ['bench-a'], count: 5_000, parallel: 1, fanOut: 100 },
];

const CHAT = { send: JSON.stringify({ type: 'chat', channel: 'bench-a', data: { text: 'hi' } }), expect: '"type":"chat"' };
const SUBSCRIBE = { send: JSON.stringify({ type: 'subscribe', channel: 'bench-b' }), expect: '"type":"subscribed"' };
const UNSUBSCRIBE = { send: JSON.stringify({ type: 'unsubscribe', channel: 'bench-b' }), expect: '"type":"unsubscribed"' };

interface Benchmark {
  readonly name: string;
  run(): ReferenceResult | Promise<ReferenceResult>;
}

/** The nine benchmarks of the Go hub library, under their names, with receivers that read and counts that are checked. */
export const REFERENCE_E: readonly Benchmark[] = [
  ...CALLS.map((calls): Benchmark => ({ name: calls.name, run: () => runCalls(calls) })),
  { name: 'MarshalMessage', run: marshalMessage },
  { name: 'WebSocketEndToEnd', run: () => roundtrips('WebSocketEndToEnd', [CHAT]) },
  { name: 'SubscribeUnsubscribe', run: () => roundtrips('SubscribeUnsubscribe', [SUBSCRIBE, UNSUBSCRIBE]) },
];

/** @throws DeliveryError when a message was lost, repeated or answered with another */
export async function referenceE(): Promise<ReferenceResult[]> {
  const results: ReferenceResult[] = [];
  for (const { run } of REFERENCE_E) results.push(await run());
  return results;
}

async function runCalls({ name, connections, fanOut, ...calls }: Calls): Promise<ReferenceResult> {
  const stage = await Stage.open(realtime);
  try {
    await stage.connect(connections);
    const warmUp = { op: 'calls', ...calls, count: 500 };
    await stage.server.ask(warmUp);
    await stage.load.ask({ op: 'await', received: 500 * fanOut, timeoutMs: 30_000 });
    await stage.load.ask({ op: 'reset' });
    const expected = calls.count * fanOut;
    const started = performance.now();
    await stage.server.ask({ op: 'calls', ...calls });
    const counts = await stage.load.ask<Counts>({ op: 'await', received: expected, timeoutMs: 60_000 });
    const ms = performance.now() - started;
    assertDelivered(name, counts, expected);
    assertEven(name, counts, expected / connections.length);
    return { name, operations: calls.count, perOperation: (ms * 1000) / calls.count, delivered: counts.received };
  } finally {
    await stage.close();
  }
}

/** Every client got its own share: nobody twice what another missed. */
function assertEven(what: string, { min, max }: Counts, share: number): void {
  if (min === share && max === share) return;
  throw new DeliveryError(`${what}: clients got between ${min} and ${max} messages instead of ${share}`);
}

function marshalMessage(): ReferenceResult {
  const file = join(__dirname, '..', '..', 'dist', 'protocol', 'envelope.js');
  // oxlint-disable-next-line typescript/no-require-imports
  const { encodeMessage } = require(file) as { encodeMessage(message: object): string };
  const message = { type: 'process_output', channel: 'process:1', data: 'a line of output', from: 'builder' };
  const operations = 1_000_000;
  const one = encodeMessage(message).length;
  for (let i = 0; i < 50_000; i++) encodeMessage(message);
  let length = 0;
  const started = performance.now();
  for (let i = 0; i < operations; i++) length += encodeMessage(message).length;
  const ms = performance.now() - started;
  if (length !== operations * one) throw new DeliveryError(`MarshalMessage: ${length} characters instead of ${operations * one}`);
  return { name: 'MarshalMessage', operations, perOperation: (ms * 1000) / operations, delivered: 0 };
}

async function roundtrips(name: string, exchanges: Exchange[]): Promise<ReferenceResult> {
  const stage = await Stage.open(realtime);
  try {
    await stage.connect([['bench-a']]);
    await stage.load.ask({ op: 'roundtrips', exchanges, count: 500 });
    const count = 5_000;
    const counts = await stage.load.ask<Counts & { ms: number }>({ op: 'roundtrips', exchanges, count });
    assertDelivered(name, counts, count);
    return { name, operations: count, perOperation: (counts.ms * 1000) / count, delivered: counts.received };
  } finally {
    await stage.close();
  }
}
