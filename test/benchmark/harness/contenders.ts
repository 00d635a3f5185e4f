import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { LineProcess } from './line-process';

/** A system in the comparison. */
export interface Contender {
  readonly name: string;
  readonly dialect: string;
  start(env?: Record<string, string>): LineProcess;
}

const SERVERS = join(__dirname, '..', 'servers');
/** Bun runs TypeScript, so its server is not compiled. */
const BUN_SERVER = join(__dirname, '..', '..', 'test', 'benchmark', 'servers', 'bun-server.ts');

function node(name: string, dialect: string, file: string): Contender {
  // BENCH_NODE_FLAGS=--cpu-prof profiles the servers.
  const flags = process.env.BENCH_NODE_FLAGS?.split(' ') ?? [];
  const args = ['--expose-gc', ...flags, join(SERVERS, file)];
  return { name, dialect, start: (env) => LineProcess.start(name, process.execPath, args, env) };
}

export const realtime = node('nestjs-realtime', 'realtime', 'realtime-server.js');
export const wsLoop = node('ws, send in a loop', 'plain', 'ws-loop-server.js');
export const nestWs = node('Nest WsAdapter', 'nestWs', 'nest-ws-server.js');
export const nestSocketIo = node('Nest Socket.IO', 'socketIo', 'nest-socket-io-server.js');

/** What is compared where instances meet over the Redis that BENCH_REDIS names. */
export const socketIoOverRedis: Contender = { ...nestSocketIo, name: 'Nest Socket.IO, @socket.io/redis-adapter' };
export const bareRedis = node('ioredis alone', 'none', 'bare-redis-server.js');

/** The version of the `bun` on PATH; undefined when there is none. */
export function bunVersion(): string | undefined {
  try {
    return execFileSync('bun', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Everything that is compared on this machine. */
export function contenders(): Contender[] {
  const bun: Contender = { name: 'Bun (C++)', dialect: 'plain', start: (env) => LineProcess.start('Bun (C++)', 'bun', [BUN_SERVER], env) };
  return [realtime, wsLoop, nestWs, nestSocketIo, ...(bunVersion() === undefined ? [] : [bun])];
}

export function startLoad(name: string): LineProcess {
  return LineProcess.start(name, process.execPath, [join(__dirname, 'load-process.js')]);
}
