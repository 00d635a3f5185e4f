import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { withDeadline } from '../../adapter/redis/connection/deadline';
import type { RedisClient } from '../../adapter/redis/connection/redis-client';
import { parseEntries, parseXread, type ReadEntry, START_ID } from './stream-entry';
import { readInfo } from './stream-commands';
import type { StreamLink } from './stream-link';

const COUNT = 100;
const BLOCK = 5_000;
/** Beyond the time that Redis waits. A connection that says nothing by then is dead. */
const SILENCE = 3_000;
const PAUSE = 1_000;

export interface ReaderEvents {
  onEntry(entry: ReadEntry): void;
  /** Entries may have been missed: they were trimmed before they were read, or the stream was made anew. @param id after which it goes on */
  onGap(id: string): void;
}

/**
 * Reads a stream's new entries, for as long as it runs. Each wait is followed by a look at the entry that was read last: as
 * long as that is held, nothing between it and what came next can have been trimmed.
 */
export class StreamReader {
  readonly figures = { entries: 0, readErrors: 0, gaps: 0 };
  /** Why it cannot read now. */
  failure: string | undefined = 'it has not been read yet';
  private readonly logger = new Logger('RedisStreamSource');
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private lastId: string | undefined;
  /** Whether `lastId` has been an entry's; one that was configured need not. */
  private known = false;

  constructor(
    private readonly link: StreamLink,
    private readonly key: string,
    private readonly from: string,
    private readonly events: ReaderEvents,
  ) {}

  /** @throws whatever the connection fails with, unless it is to go on trying */
  async start(lazy: boolean): Promise<void> {
    if (!lazy) await this.begin();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.link.close();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.readOn(await this.begin());
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.failed(error);
        await delay(PAUSE, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** Connects, and finds out once where to begin: `$` would leave out what comes while there is no connection. */
  private async begin(): Promise<RedisClient> {
    const client = await this.link.connect();
    if (this.lastId === undefined) {
      this.known = this.from === '$';
      this.lastId = this.known ? (await readInfo(client, this.key)).lastId : this.from;
    }
    if (this.figures.readErrors > 0 && this.failure) this.logger.log(`Stream ${JSON.stringify(this.key)}: reading again after ${this.lastId}`);
    this.failure = undefined;
    return client;
  }

  private async readOn(client: RedisClient): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const last = this.lastId ?? START_ID;
      const [reply, proof] = await withDeadline(
        // Both are sent at once, so the second is carried out right after the first.
        Promise.all([
          client.callBuffer('XREAD', ['COUNT', COUNT, 'BLOCK', BLOCK, 'STREAMS', this.key, last]),
          client.callBuffer('XRANGE', [this.key, last, last]),
        ]),
        BLOCK + SILENCE,
        () => new Error(`no answer within ${BLOCK + SILENCE} ms`),
      );
      const entries = parseXread(reply);
      if (this.known && parseEntries(proof).length === 0 && (await this.hasGap(client, last))) {
        await this.skipGap(client, last);
        continue;
      }
      for (const entry of entries) this.give(entry);
    }
  }

  /** The entry that was read last is gone: then only a stream to which nothing was added since proves that nothing is missing. */
  private async hasGap(client: RedisClient, last: string): Promise<boolean> {
    const { lastId, whole } = await readInfo(client, this.key);
    return lastId !== last && !(last === START_ID && whole);
  }

  /** Goes on at the end of what there is now: whoever is told of a gap reads his state anew. */
  private async skipGap(client: RedisClient, last: string): Promise<void> {
    const { lastId } = await readInfo(client, this.key);
    this.figures.gaps++;
    this.logger.warn(`Stream ${JSON.stringify(this.key)}: entries after ${last} are no longer held; going on after ${lastId}`);
    this.lastId = lastId;
    this.events.onGap(lastId);
  }

  private give(entry: ReadEntry): void {
    this.lastId = entry.id;
    this.known = true;
    this.figures.entries++;
    this.events.onEntry(entry);
  }

  private failed(error: unknown): void {
    this.link.reset();
    this.figures.readErrors++;
    const first = this.failure === undefined;
    this.failure = error instanceof Error ? error.message : String(error);
    if (first) this.logger.warn(`Stream ${JSON.stringify(this.key)} cannot be read: ${this.failure}. Trying again after ${PAUSE} ms`);
  }
}
