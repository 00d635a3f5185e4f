import type { IdempotentResult } from '../hub-adapter';
import { type RedisCommands, RedisScript } from './connection/redis-commands';
import type { RedisNames } from './redis-names';

/** KEYS: the key. ARGV: ttl in ms. Returns what is remembered, or false when the key is taken now. */
const CLAIM = new RedisScript(`
if redis.call('SET', KEYS[1], '{}', 'NX', 'PX', ARGV[1]) then return false end
return redis.call('GET', KEYS[1])
`);

/** What was published under which idempotency key, over all instances. */
export class RedisIdempotencyKeys {
  constructor(
    private readonly commands: RedisCommands,
    private readonly names: RedisNames,
  ) {}

  async claim(key: string, ttl: number): Promise<IdempotentResult | undefined> {
    const name = this.names.idempotencyKey(key);
    const held = await this.commands.script('Taking an idempotency key', CLAIM, name, [name], [ttl]);
    return held === null ? undefined : (JSON.parse((held as Buffer).toString('utf8')) as IdempotentResult);
  }

  async remember(key: string, result: IdempotentResult, ttl: number): Promise<void> {
    const { delivered, cursor } = result;
    const value = JSON.stringify({ delivered, cursor });
    await this.commands.command('Remembering a result', 'SET', [this.names.idempotencyKey(key), value, 'PX', ttl]);
  }

  async release(key: string): Promise<void> {
    await this.commands.command('Releasing an idempotency key', 'DEL', [this.names.idempotencyKey(key)]);
  }
}
