import { createInterface } from 'node:readline';
import { RawClient } from './raw-client';
import { type Memory, RECOVERY_DIALECTS } from './recovery-dialects';

/** What the bench asks of this process; one JSON line each. */
export type RecoveryCommand =
  | { op: 'connect'; port: number; dialect: string; channels: string[]; concurrency: number }
  /** Waits until every client knows a position. */
  | { op: 'positions' }
  /** Ends all connections. */
  | { op: 'drop' }
  /** Brings all of them back, and waits until each has got so many messages. */
  | { op: 'recover'; missed: number; concurrency: number; timeoutMs: number };

interface Returning {
  readonly memory: Memory;
  readonly channel: string;
  client: RawClient;
}

let returning: Returning[] = [];
let port = 0;
let dialectName = '';

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** Runs the work for each index, so many at a time. */
async function each(count: number, concurrency: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function connect(command: RecoveryCommand & { op: 'connect' }): Promise<unknown> {
  ({ port, dialect: dialectName } = command);
  const { first, offsetOf } = RECOVERY_DIALECTS[dialectName]!;
  returning = [];
  await each(command.channels.length, command.concurrency, async (index) => {
    const memory: Memory = {};
    const channel = command.channels[index]!;
    const client = new RawClient(port, first(memory), [channel], (text) => (memory.offset = offsetOf(text) ?? memory.offset));
    returning[index] = { memory, channel, client };
    await client.ready;
    client.socket.on('error', () => undefined);
  });
  return { connected: returning.length };
}

async function recover({ missed, concurrency, timeoutMs }: RecoveryCommand & { op: 'recover' }): Promise<unknown> {
  const { again } = RECOVERY_DIALECTS[dialectName]!;
  const startedAt = performance.now();
  const deadline = startedAt + timeoutMs;
  const clients: RawClient[] = [];
  await each(returning.length, concurrency, async (index) => {
    const { memory, channel } = returning[index]!;
    const client = new RawClient(port, again(memory), [channel], undefined);
    clients.push(client);
    await client.ready;
    client.socket.on('error', () => undefined);
  });
  const readyMs = performance.now() - startedAt;
  while (clients.some(({ received }) => received < missed) && performance.now() < deadline) await pause();
  const ms = performance.now() - startedAt;
  const received = clients.reduce((sum, client) => sum + client.received, 0);
  const bytes = clients.reduce((sum, client) => sum + client.bytes, 0);
  for (const client of clients) client.socket.destroy();
  return { ms, readyMs, received, bytes };
}

async function run(command: RecoveryCommand): Promise<unknown> {
  switch (command.op) {
    case 'connect':
      return connect(command);
    case 'positions':
      while (!returning.every(({ memory }) => memory.offset !== undefined)) await pause();
      return {};
    case 'drop':
      for (const { client } of returning) client.socket.destroy();
      return {};
    case 'recover':
      return recover(command);
    default:
      throw new Error('unknown command');
  }
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  void run(JSON.parse(line) as RecoveryCommand).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
input.on('close', () => process.exit(0));
