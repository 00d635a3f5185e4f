/** An option of `redisAdapter()` that cannot be used. @publicApi */
export class RedisAdapterOptionsError extends Error {
  override name = 'RedisAdapterOptionsError';

  constructor(
    readonly option: string,
    readonly value: unknown,
    allowed: string,
  ) {
    super(`redisAdapter({ ${option} }) must be ${allowed}; it is ${describe(value)}.`);
  }
}

/** Redis is configured, but ioredis is not installed. @publicApi */
export class MissingIoredisError extends Error {
  override name = 'MissingIoredisError';

  constructor(cause: unknown) {
    super('redisAdapter() needs the package "ioredis" (^5.11 or ^6). Install it: npm install ioredis');
    this.cause = cause;
  }
}

/** Redis is configured and cannot be used at the start. @publicApi */
export class RedisUnreachableError extends Error {
  override name = 'RedisUnreachableError';

  constructor(
    /** Where Redis was looked for, without credentials. */
    readonly endpoint: string,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `Redis at ${endpoint} cannot be used: ${why}. Check the address and the credentials of redisAdapter(), or set ` +
        '"lazy: true" to start without it.',
    );
    this.cause = cause;
  }
}

/** Values may hold passwords: only those of a harmless type are shown. */
function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
