import { createInterface } from 'node:readline';
import { DIALECTS } from './dialects';
import { RawClient } from './raw-client';
import { clockMicros } from './server-control';

/** A message, and a part of the frame that answers it. */
export interface Exchange {
  send: string;
  expect: string;
}

/** What the bench asks of a load process; one JSON line each. */
export type LoadCommand =
  | {
      op: 'connect';
      port: number;
      dialect: string;
      /** One entry for each connection: its channels. */
      channels: string[][];
      /** Connections under way at a time. */
      concurrency: number;
      /** Every n-th connection reads the time out of what it gets; 0: none. */
      sampleEvery: number;
      deflate?: boolean;
    }
  | { op: 'stall'; every: number }
  | { op: 'resume' }
  | { op: 'await'; received: number; timeoutMs: number }
  | { op: 'reset' }
  /** One client sends each of the messages in turn and waits for a frame, `count` times altogether. */
  | { op: 'roundtrips'; exchanges: Exchange[]; count: number }
  | { op: 'counts' };

const clients: RawClient[] = [];
const stalled = new Set<RawClient>();
let latencies: number[] = [];
let errors = 0;

async function connect(command: LoadCommand & { op: 'connect' }): Promise<unknown> {
  const dialect = DIALECTS[command.dialect]!;
  const started = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < command.channels.length) {
      const i = next++;
      const sampled = command.sampleEvery > 0 && i % command.sampleEvery === 0;
      const client = new RawClient(command.port, dialect, command.channels[i]!, sampled ? sample : undefined, command.deflate);
      clients.push(client);
      await client.ready;
      client.socket.on('error', () => errors++);
    }
  };
  await Promise.all(Array.from({ length: command.concurrency }, worker));
  return { connected: clients.length, ms: performance.now() - started };
}

function sample(text: string): void {
  const start = text.indexOf('"t":');
  if (start !== -1) latencies.push(clockMicros() - Number.parseInt(text.slice(start + 4), 10));
}

function received(): number {
  let total = 0;
  for (const client of clients) if (!stalled.has(client)) total += client.received;
  return total;
}

async function awaitReceived(count: number, timeoutMs: number): Promise<unknown> {
  const deadline = performance.now() + timeoutMs;
  while (received() < count && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
  return counts();
}

function counts(): unknown {
  const perClient = clients.filter((client) => !stalled.has(client)).map((client) => client.received);
  return {
    received: received(),
    min: perClient.reduce((a, b) => Math.min(a, b), Infinity),
    max: perClient.reduce((a, b) => Math.max(a, b), 0),
    latencies,
    errors,
    open: clients.filter((client) => !client.socket.destroyed).length,
  };
}

async function roundtrips({ exchanges, count }: LoadCommand & { op: 'roundtrips' }): Promise<unknown> {
  const client = clients[0]!;
  let answered = 0;
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const { send, expect } = exchanges[i % exchanges.length]!;
    const answer = client.nextFrame();
    client.send(send);
    if ((await answer).includes(expect)) answered++;
  }
  return { ms: performance.now() - started, ...(counts() as object), received: answered };
}

async function run(command: LoadCommand): Promise<unknown> {
  switch (command.op) {
    case 'connect':
      return connect(command);
    case 'stall':
      // Off by one, so that those which sample latency are not among them.
      for (let i = 1; i < clients.length; i += command.every) {
        clients[i]!.socket.pause();
        stalled.add(clients[i]!);
      }
      return { stalled: stalled.size };
    case 'resume':
      for (const client of stalled) client.socket.resume();
      return {};
    case 'await':
      return awaitReceived(command.received, command.timeoutMs);
    case 'reset':
      latencies = [];
      for (const client of clients) client.received = 0;
      return {};
    case 'roundtrips':
      return roundtrips(command);
    case 'counts':
      return counts();
    default:
      throw new Error('unknown command');
  }
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  void run(JSON.parse(line) as LoadCommand).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
input.on('close', () => process.exit(0));
