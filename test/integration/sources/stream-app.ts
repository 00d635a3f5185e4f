import type { Redis } from 'ioredis';
import { redisStreamSource, type RedisStreamSourceOptions, type StreamEntry, type StreamPublication } from 'nestjs-realtime';
import type { TestApp, TestAppOptions } from '../../support/create-app';
import type { RedisServer } from '../../support/redis-server';
import { waitFor } from '../../support/wait-for';

export const KEY = 'events';

/** Entries name their channels, with commas between them; `data` goes to each. */
export function toPublications({ id, fields }: StreamEntry): StreamPublication[] {
  if (fields.to === undefined) throw new Error('no "to"');
  return fields.to.split(',').map((name, part) => ({ channel: name, type: 'event', data: { id, part, n: Number(fields.n) } }));
}

export function streamOptions(server: RedisServer, options: Partial<RedisStreamSourceOptions> = {}): TestAppOptions {
  const source = redisStreamSource({ url: server.url, key: KEY, channels: ['feed:{name}'], toPublications, ...options });
  return { realtime: { path: '/ws', sources: [source] } };
}

/** Appends an entry. @returns its id */
export async function add(redis: Redis, to: string, n: number, id = '*'): Promise<string> {
  return (await redis.xadd(KEY, id, 'to', to, 'n', n))!;
}

/** Names of the connections to Redis, and the command that each sent last. */
export async function connectionsOf(redis: Redis, name: string): Promise<string[]> {
  const list = (await redis.client('LIST')) as string;
  return list.split('\n').filter((line) => line.includes(` name=${name} `));
}

/** Waits until the application waits for what comes next. */
export async function isReading(redis: Redis, readers = 1): Promise<void> {
  await waitFor(`${readers} waiting XREAD`, async () => {
    const lines = await connectionsOf(redis, 'nestjs-realtime-source');
    return lines.length === readers && lines.every((line) => /cmd=xread /.test(line) && / flags=\w*b/.test(line));
  });
}

export function figure({ hub }: TestApp, name: string): number {
  return hub.status().adapter.figures[`source.${name}`] ?? NaN;
}
