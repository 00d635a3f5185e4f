import { createHash } from 'node:crypto';
import { AdapterUnavailableError } from '../../adapter.errors';
import { withDeadline } from './deadline';
import type { RedisClient } from './redis-client';
import type { Signal } from './signal';
import type { Topology } from './topology';

export type RedisArgument = string | Buffer | number;

/** A Lua script, sent whole only to a server that does not know it yet. */
export class RedisScript {
  private readonly sha: string;

  /** @param repeatable whether it may run again when nobody knows whether it has */
  constructor(
    private readonly source: string,
    readonly repeatable = false,
  ) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  /** @param whole whether to send it whole at once */
  async run(client: RedisClient, keys: readonly string[], args: readonly RedisArgument[], whole: boolean): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    if (whole) return client.callBuffer('EVAL', [this.source, ...rest]);
    try {
      return await client.callBuffer('EVALSHA', [this.sha, ...rest]);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return client.callBuffer('EVAL', [this.source, ...rest]);
    }
  }
}

/** Answers that say that nothing was done, and that it may well be done in a moment. */
const TRY_AGAIN = /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|READONLY|MASTERDOWN|BUSY) /;
const ASK = /^ASK \d+ (\S+)/;
const PAUSE = 50;

/** A call on one connection. */
export type Call = (client: RedisClient, asking: boolean) => Promise<unknown>;

/**
 * Sends commands to the shard that has the key: waits for it while it is away, follows it when it has moved, gives up in
 * time, and never sends twice what may have been done, unless it is repeatable.
 */
export class RedisCommands {
  private closed = false;

  constructor(
    private readonly topology: Topology,
    private readonly changed: Signal,
    /** How long an operation may take, in ms, unless it says otherwise. */
    private readonly timeout: number,
  ) {}

  /** Nothing is sent any more, and what waits is refused as soon as the signal fires. */
  close(): void {
    this.closed = true;
  }

  /** @throws AdapterUnavailableError */
  command(operation: string, name: string, args: readonly [string, ...RedisArgument[]], timeout?: number): Promise<unknown> {
    return this.run(operation, args[0], (client) => client.callBuffer(name, args), timeout);
  }

  /**
   * @param key decides where the script runs: one of `keys`, or of their slot
   * @throws AdapterUnavailableError
   */
  script(
    operation: string,
    script: RedisScript,
    key: string,
    keys: readonly string[],
    args: readonly RedisArgument[],
    timeout?: number,
  ): Promise<unknown> {
    const call: Call = (client, asking) => script.run(client, keys, args, asking);
    return this.run(operation, key, call, timeout, script.repeatable);
  }

  /** @throws AdapterUnavailableError */
  async run(operation: string, key: string, call: Call, timeout = this.timeout, repeatable = false): Promise<unknown> {
    const deadline = Date.now() + timeout;
    let askAt: string | undefined;
    for (;;) {
      if (this.closed) throw new AdapterUnavailableError(operation, 'not_sent', 'the adapter was stopped');
      const left = deadline - Date.now();
      if (left <= 0) throw new AdapterUnavailableError(operation, 'not_sent', 'Redis was not there in time');
      const asked = askAt === undefined ? undefined : this.topology.shardAt(askAt);
      const shard = asked ?? this.topology.shardFor(key);
      if (shard?.commands.status !== 'ready') {
        await this.changed.wait(left);
        continue;
      }
      try {
        return await this.send(operation, shard.commands, call, asked !== undefined, left);
      } catch (error) {
        if (!isNotDone(error) && !(repeatable && isBroken(error))) throw asUnavailable(operation, error);
        askAt = ASK.exec((error as Error).message)?.[1];
        if (askAt === undefined) {
          this.topology.refresh();
          await this.changed.wait(Math.min(PAUSE, left));
        }
      }
    }
  }

  private send(operation: string, client: RedisClient, call: Call, asking: boolean, ms: number): Promise<unknown> {
    // Both go out in this order on one connection, so the second is answered as one that was told to ask here.
    if (asking) client.asking().catch(() => undefined);
    return withDeadline(
      call(client, asking),
      ms,
      () => new AdapterUnavailableError(operation, 'unknown', 'Redis did not answer in time'),
    );
  }
}

function isNotDone(error: unknown): boolean {
  const { name, message } = error as Error;
  if (name === 'ReplyError') return TRY_AGAIN.test(message);
  return message.startsWith("Stream isn't writeable");
}

/** The connection went before the answer came. */
function isBroken(error: unknown): boolean {
  return !(error instanceof AdapterUnavailableError) && (error as Error).name !== 'ReplyError';
}

function asUnavailable(operation: string, error: unknown): Error {
  if (error instanceof AdapterUnavailableError) return error;
  const { name, message } = error as Error;
  if (name === 'ReplyError') return new AdapterUnavailableError(operation, 'refused', `Redis said "${message}"`, error);
  return new AdapterUnavailableError(operation, 'unknown', 'the connection to Redis broke', error);
}
