import { withDeadline } from '../../adapter/redis/connection/deadline';
import { AdapterUnavailableError } from '../../adapter/adapter.errors';
import type { RedisClient } from '../../adapter/redis/connection/redis-client';
import { parseEntries, type ReadEntry, START_ID } from './stream-entry';
import type { StreamLink } from './stream-link';

/** What Redis knows about a stream. */
export interface StreamInfo {
  /** Of all that were ever appended in this life of the stream. `0-0` for one that is not there. */
  readonly lastId: string;
  /** Whether everything that was ever appended is still held; never known before Redis 7. */
  readonly whole: boolean;
}

/** How long one read may take, in ms. */
const TIMEOUT = 5_000;

/** Reads of a stream that do not wait, on a connection beside the one that does. */
export class StreamCommands {
  constructor(
    private readonly link: StreamLink,
    private readonly key: string,
  ) {}

  /** Up from an id, itself included. @throws AdapterUnavailableError */
  async upwards(from: string, count: number): Promise<ReadEntry[]> {
    return parseEntries(await this.call('XRANGE', [this.key, from, '+', 'COUNT', count]));
  }

  /** Down from an id, itself included. @throws AdapterUnavailableError */
  async downwards(from: string, count: number): Promise<ReadEntry[]> {
    return parseEntries(await this.call('XREVRANGE', [this.key, from, '-', 'COUNT', count]));
  }

  /** @throws AdapterUnavailableError */
  async info(): Promise<StreamInfo> {
    return this.attempt((client) => readInfo(client, this.key));
  }

  private call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.attempt((client) => client.callBuffer(command, args));
  }

  /** Twice, if need be: it only reads, and the connection may be that to a node which had the stream until just now. */
  private async attempt<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await this.once(work).catch(() => this.once(work));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AdapterUnavailableError(`reading the stream ${JSON.stringify(this.key)}`, 'not_sent', reason, error);
    }
  }

  private async once<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      const client = await this.link.connect();
      return await withDeadline(work(client), TIMEOUT, () => new Error(`no answer within ${TIMEOUT} ms`));
    } catch (error) {
      this.link.reset();
      throw error;
    }
  }
}

export async function readInfo(client: RedisClient, key: string): Promise<StreamInfo> {
  let reply: unknown[];
  try {
    reply = (await client.callBuffer('XINFO', ['STREAM', key])) as unknown[];
  } catch (error) {
    if ((error as Error).message.includes('no such key')) return { lastId: START_ID, whole: true };
    throw error;
  }
  const field = (name: string): string | undefined => {
    const index = reply.findIndex((each, i) => i % 2 === 0 && String(each) === name);
    return index === -1 ? undefined : String(reply[index + 1]);
  };
  const added = field('entries-added');
  return { lastId: field('last-generated-id') ?? START_ID, whole: added !== undefined && added === field('length') };
}
