/** What a client saw on one channel. */
export type ClientEvent =
  | {
      readonly kind: 'subscribed';
      /** Which of the client's transport connections it came over, counted from 1. */
      readonly connection: number;
      /** The cursor that the client asked to continue from. */
      readonly asked?: string;
      readonly recovered?: boolean;
      readonly cursor: string;
    }
  | { readonly kind: 'reset'; readonly connection: number; readonly cursor: string }
  | { readonly kind: 'publication'; readonly connection: number; readonly id: string; readonly cursor: string };

/** Everything that one client saw on one channel, in the order in which it saw it. */
export interface ClientRecord {
  readonly client: string;
  readonly channel: string;
  readonly events: readonly ClientEvent[];
}

/** What a publisher was told: `rejected` says that nothing happened, `unknown` that it may have. */
export type PublishOutcome = 'accepted' | 'rejected' | 'unknown';

export interface PublishRecord {
  readonly channel: string;
  /** Unique in the recording; clients read it out of the payload. */
  readonly id: string;
  readonly outcome: PublishOutcome;
  /** Of an accepted one. */
  readonly cursor?: string;
  /** On one clock for all publishers. Whatever was answered before another was started has to stand before it. */
  readonly startedAt: number;
  readonly answeredAt: number;
}

/** All of a run, after it has come to rest. */
export interface Recording {
  readonly clients: readonly ClientRecord[];
  readonly publishes: readonly PublishRecord[];
  /** Where each channel stood at the end, as the server says when asked apart from any client: the cursor by channel. */
  readonly heads: Readonly<Record<string, string>>;
}

/**
 * What the run did to the server's store. `none`: nothing that was accepted may be lost, and nobody may be told of a loss.
 * `tail`: its newest publications may be gone (a fail-over). `all`: everything may be (a restart without persistence).
 */
export type AllowedLoss = 'none' | 'tail' | 'all';

export type ViolationKind =
  /** Delivered in another order than that of the positions, or of the publishers. */
  | 'order'
  /** Missing between two publications that a client got, without a word. */
  | 'gap'
  | 'duplicate'
  /** `recovered: true`, and what followed was not the continuation. */
  | 'false-recovery'
  /** The recording ends, and a client is not where the channel is. */
  | 'lost-tail'
  /** Delivered although it was rejected, or never published. */
  | 'ghost'
  /** Accepted, and gone from the channel. */
  | 'lost'
  /** Two accounts of one channel contradict each other. */
  | 'two-orders'
  /** A client was told of a loss where there was none. */
  | 'needless-reset';

export interface Violation {
  readonly kind: ViolationKind;
  readonly channel: string;
  readonly client?: string;
  readonly message: string;
}

/** What was judged, so that a recording of nothing does not pass for a good one. */
export interface CheckSummary {
  readonly accepted: number;
  readonly unknown: number;
  readonly rejected: number;
  readonly delivered: number;
  /** Joins that were answered `recovered: true`. */
  readonly recovered: number;
  /** Joins with a cursor that were not. */
  readonly unrecovered: number;
  readonly resets: number;
  /** Accepted publications that the store lost, where that is allowed. */
  readonly lost: number;
}

export interface CheckResult {
  readonly violations: readonly Violation[];
  readonly summary: CheckSummary;
}
