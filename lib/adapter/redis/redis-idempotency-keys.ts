import type { IdempotentResult } from '../hub-adapter';
import { type RedisCommands, RedisScript } from './connection/redis-commands';
import type { RedisNames } from './redis-names';

/*
 * A key that is taken holds the claim, `{}` or `{"owner":...}`, later what is remembered. Each script may run again when
 * nobody knows whether it has: it does the same once more.
 */

/** KEYS: the key. ARGV: the claim, ttl in ms. Returns what is held, or false when the key is the caller's now. */
const CLAIM = new RedisScript(
  `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] and held ~= '{}' then return false end
return held
`,
  true,
);

/** KEYS: the key. ARGV: the result, ttl in ms. */
const REMEMBER = new RedisScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])", true);

/** KEYS: the key. ARGV: the claim that is given back; empty: whatever is held. */
const RELEASE = new RedisScript(
  "if ARGV[1] == '' or redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
  true,
);

/** What was published under which idempotency key, over all instances. */
export class RedisIdempotencyKeys {
  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
  ) {}

  async claim(key: string, ttl: number, owner?: string): Promise<IdempotentResult | undefined> {
    const held = await this.run('Taking an idempotency key', CLAIM, key, [claimOf(owner), ttl]);
    return held === null ? undefined : (JSON.parse((held as Buffer).toString('utf8')) as IdempotentResult);
  }

  async remember(key: string, { delivered, cursor }: IdempotentResult, ttl: number): Promise<void> {
    await this.run('Remembering a result', REMEMBER, key, [JSON.stringify({ delivered, cursor }), ttl]);
  }

  async release(key: string, owner?: string): Promise<void> {
    await this.run('Releasing an idempotency key', RELEASE, key, [owner === undefined ? '' : claimOf(owner)]);
  }

  private run(operation: string, script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const name = this.names.idempotencyKey(key);
    return this.commands.script(operation, script, name, [name], args);
  }
}

function claimOf(owner: string | undefined): string {
  return JSON.stringify({ owner });
}
