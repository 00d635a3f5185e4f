import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Environment } from '../shared/environment';
import { STREAM } from './events/contract-event';

const CONTRACTS = ['CTOKEN', 'CSWAP', 'CVAULT'];
const TOPICS = ['transfer', 'mint', 'burn', 'approve'];
/** Entries that the stream keeps, more or less. */
const LENGTH = 10_000;

/** Writes entries as an indexer of a blockchain does, until it is stopped or has written `COUNT` of them. */
async function feed(redisUrl: string): Promise<void> {
  const pause = Number(process.env.PAUSE ?? 500);
  const count = Number(process.env.COUNT ?? Infinity);
  const redis = new Redis(redisUrl);
  for (let n = 0; n < count; n++) {
    await redis.xadd(STREAM, 'MAXLEN', '~', LENGTH, '*', ...entry(n));
    if (n + 1 < count) await delay(pause);
  }
  await redis.quit();
}

function entry(n: number): string[] {
  const topic = TOPICS[Math.floor(n / CONTRACTS.length) % TOPICS.length]!;
  return [
    'contract_id', CONTRACTS[n % CONTRACTS.length]!,
    'ledger_sequence', String(52_000_000 + Math.floor(n / 5)),
    'ledger_timestamp', new Date().toISOString(),
    'transaction_hash', randomBytes(32).toString('hex'),
    'event_index', String(n % 5),
    'event_type', 'contract',
    'topics', JSON.stringify([topic, `account-${n % 7}`, `account-${(n + 3) % 7}`]),
    'data', JSON.stringify({ amount: String(1 + ((n * 7919) % 10_000)) }),
  ];
}

const { redisUrl } = new Environment(process.env);
if (redisUrl) {
  void feed(redisUrl);
} else {
  new Logger('Feed').error('Set REDIS_URL to the Redis that the sample reads, such as redis://localhost:6379');
  process.exitCode = 1;
}
