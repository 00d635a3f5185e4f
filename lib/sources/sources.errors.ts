import { ErrorCode, RealtimeError } from '../protocol/errors';

/** Something was published to a channel that a source feeds, or its history was to be cleared. @publicApi */
export class SourceChannelError extends RealtimeError {
  override name = 'SourceChannelError';

  constructor(
    readonly operation: 'publish' | 'clearHistory',
    readonly channel: string,
    /** The source that feeds the channel. */
    readonly source: string,
  ) {
    super(
      ErrorCode.Forbidden,
      `${operation}: the channel ${JSON.stringify(channel)} is fed by ${source}, which also is its history. ` +
        'Write to the source itself, or take another channel.',
    );
  }
}

/** An option of `redisStreamSource()` that cannot be used. @publicApi */
export class StreamSourceOptionsError extends Error {
  override name = 'StreamSourceOptionsError';

  constructor(
    readonly option: string,
    /** What may stand there, in words. */
    readonly allowed: string,
    cause?: unknown,
  ) {
    super(`redisStreamSource({ ${option} }) must be ${allowed}.`);
    this.cause = cause;
  }
}

/** The Redis of a source cannot be used at the start. @publicApi */
export class StreamSourceUnreachableError extends Error {
  override name = 'StreamSourceUnreachableError';

  constructor(
    readonly key: string,
    /** Where Redis was looked for, without credentials. */
    readonly endpoint: string,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `The stream ${JSON.stringify(key)} in Redis at ${endpoint} cannot be read: ${why}. Check the address and the ` +
        'credentials of redisStreamSource(), or set "lazy: true" to start without it.',
    );
    this.cause = cause;
  }
}
