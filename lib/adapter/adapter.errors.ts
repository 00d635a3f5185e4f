import { ErrorCode, RealtimeError } from '../protocol/errors';

/**
 * Too many publications wait for the way to the other instances; this one was not taken. Subscribers of this instance
 * have been served where the channel has no history.
 *
 * @example
 * try {
 *   await hub.publish('ticker:eur', quote);
 * } catch (error) {
 *   if (!(error instanceof HubBusyError)) throw error;
 *   // Leave this quote out: the next one is about to come.
 * }
 *
 * @publicApi
 */
export class HubBusyError extends RealtimeError {
  override name = 'HubBusyError';

  constructor(
    readonly operation: string,
    /** How many publications wait. */
    readonly waiting: number,
    /** Their payloads, in bytes. */
    readonly waitingBytes: number,
  ) {
    super(
      ErrorCode.Unavailable,
      `${operation}: ${waiting} publications (${waitingBytes} bytes) already wait for the adapter. Publish less, or ` +
        `raise the adapter's "queueSize" or "queueBytes".`,
    );
  }
}

/**
 * What became of an operation that failed: `not_sent`, nothing happened and it may be tried again; `unknown`, it was
 * sent and no answer came, so it may have happened; `refused`, the store answered with an error.
 *
 * @publicApi
 */
export type AdapterOutcome = 'not_sent' | 'unknown' | 'refused';

/** The store behind the adapter did not do what it was asked for. @publicApi */
export class AdapterUnavailableError extends RealtimeError {
  override name = 'AdapterUnavailableError';

  constructor(
    readonly operation: string,
    readonly outcome: AdapterOutcome,
    reason: string,
    cause?: unknown,
  ) {
    super(ErrorCode.Unavailable, `${operation} failed: ${reason}. ${ADVICE[outcome]}`);
    this.cause = cause;
  }
}

const ADVICE: Readonly<Record<AdapterOutcome, string>> = {
  not_sent: 'Nothing was changed: try again later.',
  unknown: 'It may have happened all the same: try again only with an idempotency key.',
  refused: 'See the cause.',
};

/** A publication is larger than instances accept from each other. @publicApi */
export class OversizedPublicationError extends RealtimeError {
  override name = 'OversizedPublicationError';

  constructor(
    readonly channel: string | undefined,
    readonly size: number,
    readonly limit: number,
  ) {
    const where = channel === undefined ? 'A message' : `A publication on ${JSON.stringify(channel)}`;
    super(
      ErrorCode.LimitExceeded,
      `${where} has ${size} bytes; instances take ${limit} from each other. Publish less at once, or raise ` +
        `"maxMessageBytes" of the adapter on every instance.`,
    );
  }
}
