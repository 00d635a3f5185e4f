import { createInterface } from 'node:readline';

/** A server under test, as its process is told what to do with it. */
export interface BenchServer {
  readonly port: number;
  /** Sends `data` to the subscribers of a channel. */
  publish(channel: string, data: BenchData): void;
  /** Length of the WebSocket payload that `publish` makes of `data`. */
  payloadLength(channel: string, data: BenchData): number;
  /** Sends `data` to everybody, for those that measure it. */
  broadcast?(data: BenchData): void;
  /** Resolves when everything published until now is through to where it goes. */
  settled?(): Promise<unknown>;
  /** Connections, for those that count them. */
  stats?(): unknown;
}

export interface BenchData {
  /** When it was published, in µs since the epoch. */
  t: number;
  pad: string;
}

/** What the bench asks of a server process; one JSON line each on its standard input. */
export type ServerCommand =
  | { op: 'publish'; channels: string[]; ticks: number; perTick: number; intervalMs: number; payload: number }
  | { op: 'calls'; method: 'publish' | 'broadcast'; channels: string[]; count: number; parallel: number }
  | { op: 'flood'; channel: string; count: number; payload: number }
  | { op: 'usage' }
  | { op: 'collect' }
  | { op: 'lag'; on: boolean }
  | { op: 'stats' };

/** The time in µs since the epoch: the one clock that Node and Bun share across processes. */
export function clockMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/** Obeys the commands on standard input; answers with one JSON line each on standard output. */
export function obey(server: BenchServer): void {
  const lag = new LoopLag();
  answer({ port: server.port });
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => void run(server, lag, JSON.parse(line) as ServerCommand).then(answer));
  input.on('close', () => process.exit(0));
}

async function run(server: BenchServer, lag: LoopLag, command: ServerCommand): Promise<unknown> {
  switch (command.op) {
    case 'publish':
      return publish(server, command);
    case 'calls':
      return calls(server, command);
    case 'flood':
      return flood(server, command);
    case 'usage':
      return { cpu: process.cpuUsage(), rss: process.memoryUsage().rss };
    case 'collect':
      (globalThis as { gc?: () => void }).gc?.();
      return {};
    case 'lag':
      return command.on ? lag.start() : lag.stop();
    case 'stats':
      return server.stats?.() ?? {};
    default:
      throw new Error('unknown command');
  }
}

async function publish(server: BenchServer, command: ServerCommand & { op: 'publish' }): Promise<unknown> {
  const { channels, ticks, perTick, intervalMs, payload } = command;
  const data = dataOf(server, channels[0]!, payload);
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    for (let i = 0; i < perTick; i++) server.publish(channels[next++ % channels.length]!, { ...data, t: clockMicros() });
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
  return { published: ticks * perTick, payload: server.payloadLength(channels[0]!, data) };
}

/** Data that make a payload of that length. */
function dataOf(server: BenchServer, channel: string, payload: number): BenchData {
  const data: BenchData = { t: clockMicros(), pad: '' };
  data.pad = 'x'.repeat(Math.max(0, payload - server.payloadLength(channel, data)));
  return data;
}

/** Publications of one loop turn, and how often it is asked whether they are through: two of these are under way. */
const BURST = 50;
const WINDOW = 1000;

/** As many a second as get through, with a bounded number under way. */
async function flood(server: BenchServer, command: ServerCommand & { op: 'flood' }): Promise<unknown> {
  const { channel, count, payload } = command;
  const data = dataOf(server, channel, payload);
  const before = process.cpuUsage();
  const started = performance.now();
  let previous: Promise<unknown> = Promise.resolve();
  for (let i = 1; i <= count; i++) {
    server.publish(channel, { ...data, t: clockMicros() });
    if (i % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
    if (i % WINDOW !== 0) continue;
    const settled = server.settled!();
    await previous;
    previous = settled;
  }
  await server.settled!();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - started, cpu: user + system };
}

/** So many calls, `parallel` of them at a time before the event loop gets its turn. */
async function calls(server: BenchServer, command: ServerCommand & { op: 'calls' }): Promise<unknown> {
  const { method, channels, count, parallel } = command;
  const data: BenchData = { t: 0, pad: 'x'.repeat(64) };
  for (let i = 0; i < count; i++) {
    if (method === 'broadcast') server.broadcast!(data);
    else server.publish(channels[i % channels.length]!, data);
    if ((i + 1) % parallel === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return {};
}

/** Longest stretch for which the event loop did nothing else. */
class LoopLag {
  private longest = 0;
  private running = false;

  start(): object {
    this.longest = 0;
    this.running = true;
    let last = performance.now();
    const beat = (): void => {
      const now = performance.now();
      this.longest = Math.max(this.longest, now - last);
      last = now;
      if (this.running) setImmediate(beat);
    };
    setImmediate(beat);
    return {};
  }

  stop(): object {
    this.running = false;
    return { longestMs: this.longest };
  }
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
