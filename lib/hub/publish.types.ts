import type { AdapterDelivery } from '../adapter/hub-adapter';

/** How to publish. @publicApi */
export interface PublishOptions {
  /** What the message is. @default 'message' */
  type?: string;
  /** The publisher's name, for the `from` field. @default absent */
  from?: string;
  /** Connections that must not get it, by id. Whoever recovers it from the history does get it. */
  exclude?: string | readonly string[];
  /** Within 5 minutes, a second publication on the channel with the same key publishes nothing. */
  idempotencyKey?: string;
}

/** What became of a publication. @publicApi */
export interface PublishResult {
  /**
   * `cluster`: handed to every instance that listens (with one process, that is this one). `local`: served to this
   * instance's connections only, because the way to the others is down.
   */
  readonly delivered: AdapterDelivery;
  /** Where it stands in a channel with history. */
  readonly cursor?: string;
  /** True when the idempotency key had been used: nothing was published now. */
  readonly duplicate?: boolean;
}
