import type { AdapterContext } from '../adapter/adapter-factory';
import type { AdapterReceiver, AdapterStatus, HistoryPage, HistoryQuery, ReadRequest, ReadResult } from '../adapter/hub-adapter';
import type { EnvelopeFields } from '../protocol/envelope';

/** What the module gives a source when it is made. @publicApi */
export interface SourceContext extends AdapterContext {
  /** The names that messages have for their type and data. */
  readonly envelope: EnvelopeFields;
}

/**
 * What the module option `sources` takes: a description of a source, from which each application makes its own.
 *
 * @publicApi
 */
export interface SourceFactory {
  /** Patterns of the channels that it feeds. Clients may subscribe to them, and nobody publishes there. */
  readonly channels: readonly string[];
  /** Makes the source. It connects in {@link ChannelSource.start}, not here. */
  create(context: SourceContext): ChannelSource;
}

/**
 * Feeds channels from outside, and keeps their history. Every instance reads it by itself, so what it brings is given to
 * the instance's own subscribers only.
 *
 * @publicApi
 */
export interface ChannelSource {
  /** For logs and errors. */
  readonly name: string;

  /**
   * Connects, and from then on gives publications with their positions to the receiver, in order.
   *
   * @throws when it cannot, so that the application does not start half-deaf
   */
  start(receiver: AdapterReceiver): Promise<void>;

  /** Releases every handle. Idempotent. */
  stop(): Promise<void>;

  /** Publications of the channel are wanted from now on. */
  subscribe(channel: string): void;

  unsubscribe(channel: string): void;

  /** As `HubAdapter.read`; the answer is `sparse` where offsets are not contiguous. */
  read(channel: string, request: ReadRequest): Promise<ReadResult>;

  /** As `HubAdapter.history`. */
  history(channel: string, query: HistoryQuery): Promise<HistoryPage>;

  /** How it is now, without asking anybody. */
  status(): AdapterStatus;
}
