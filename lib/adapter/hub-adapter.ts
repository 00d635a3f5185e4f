import type { Position } from '../protocol/cursor';

/**
 * What lies between instances and over time. A hub fans out inside one process; its adapter carries publications to
 * other instances, keeps the history of recoverable channels, the idempotency keys and the presence.
 *
 * Guarantees that every adapter gives, judged by the one conformance suite:
 * - Publications of one recoverable channel reach every instance in the order of their positions.
 * - `append` resolves after the publication is in the history; each subscribed instance, the caller's own too, gets it
 *   through {@link AdapterReceiver.onPublication} with its position.
 * - `publish` (channels without history) never echoes to the caller: the hub has served its own subscribers already.
 * - `read` claims `recovered` only when it holds everything after the cursor.
 * - When `read` resolves on an instance that is subscribed to the channel, everything up to the position that it gives has
 *   been delivered there, so that a subscriber goes on from that position with what comes next.
 *
 * @publicApi
 */
export interface HubAdapter {
  /** A word for logs and stats, such as `memory` or `redis`. */
  readonly name: string;

  /** Connects. Rejects when it cannot, so that the application does not start half-deaf. */
  start(receiver: AdapterReceiver): Promise<void>;

  /** Disconnects and releases every handle. Idempotent. Called last in a shutdown. */
  stop(): Promise<void>;

  /** This instance has local subscribers on the channel from now on. Resolves once nothing published later is missed. */
  subscribe(channel: string): Promise<void>;

  /** The last local subscriber has left. */
  unsubscribe(channel: string): void;

  /** Carries a publication of a channel without history to the other instances. */
  publish(publication: AdapterPublication): Promise<AdapterDelivery>;

  /**
   * Appends a publication to its channel's history, and delivers it to every instance with its position.
   *
   * @param once with it, one step looks the key up, appends and remembers: a repeat on the channel appends nothing and gets
   * the first one's position, also where the first was not told what had become of it
   */
  append(publication: AdapterPublication, history: HistorySettings, once?: OnceKey): Promise<AppendResult>;

  /** Carries a message for every connection to the other instances. */
  broadcast(payload: Buffer): Promise<AdapterDelivery>;

  /** Carries a command about users and connections to the other instances. */
  control(command: ControlCommand): Promise<AdapterDelivery>;

  /** Reads a channel for a subscriber that joins: one consistent view of what it missed and where the channel stands. */
  read(channel: string, request: ReadRequest, history: HistorySettings): Promise<ReadResult>;

  /** Pages through a channel's history. */
  history(channel: string, query: HistoryQuery, history: HistorySettings): Promise<HistoryPage>;

  /** Forgets a channel's history: every older cursor stops being recoverable. */
  clearHistory(channel: string): Promise<void>;

  /**
   * Looks up or takes an idempotency key.
   *
   * @param owner names who takes it: who was not told whether he has it may ask again, and gets it again
   * @returns what was remembered under the key, or undefined when the key is new and now taken for `ttl` ms
   */
  claim(key: string, ttl: number, owner?: string): Promise<IdempotentResult | undefined>;

  /** Stores the outcome under a claimed key, for the rest of its life. */
  remember(key: string, result: IdempotentResult, ttl: number): Promise<void>;

  /**
   * Gives a claimed key back: what it guarded failed, and a retry must not be taken for a repeat.
   *
   * @param owner with it, nothing happens unless the key is claimed by that owner and nothing is remembered under it yet
   */
  release(key: string, owner?: string): Promise<void>;

  /** Adds a member to a channel's presence, or updates its info. Resolves to false when it was there already. */
  addMember(channel: string, member: PresenceMember): Promise<boolean>;

  /** Removes a member. Resolves to false when it was not there. */
  removeMember(channel: string, connectionId: string): Promise<boolean>;

  /** Everyone present on a channel, over all instances. */
  members(channel: string): Promise<PresenceMember[]>;

  /** How it is now, without asking anybody. */
  status(): AdapterStatus;

  /** The instances that are alive, this one too. */
  instances(): Promise<AdapterInstance[]>;
}

/** How an adapter is, as `hub.status()` shows it. @publicApi */
export interface AdapterStatus {
  /** Whether messages get to the other instances and from them. */
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  /** Counts since the start and levels of now, by name, for stats and metrics. */
  readonly figures: Readonly<Record<string, number>>;
}

/** An instance of the cluster. @publicApi */
export interface AdapterInstance {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** What it last said about itself, as of {@link AdapterReceiver.counts}. */
  readonly counts: Readonly<Record<string, number>>;
}

/** What an adapter calls. The hub implements it; no method throws. @publicApi */
export interface AdapterReceiver {
  /**
   * A publication for a channel, from another instance or, with a position, from any.
   *
   * @param payload the frame's JSON as bytes, without the cursor; not to be changed
   * @param position where it stands in the channel's history; absent for channels without one
   * @param exclude ids of connections that must not get it
   */
  onPublication(channel: string, payload: Buffer, position?: Position, exclude?: readonly string[]): void;
  /** A message for every connection. */
  onBroadcast(payload: Buffer): void;
  /** Another instance's command about a user or a connection. */
  onControl(command: ControlCommand): void;
  /** Publications of the channel may have been missed and cannot be fetched: its subscribers must be told (`reset`). */
  onContinuityLost(channel: string, position: Position): void;
  /**
   * Somebody's presence has changed without {@link HubAdapter.addMember} or {@link HubAdapter.removeMember} having said so:
   * its instance died, or was taken for dead and has come back. Called on exactly one instance, which tells the others'
   * subscribers too.
   */
  onPresence?(channel: string, change: 'join' | 'leave', member: PresenceMember): void;
  /** What this instance says about itself to the others, such as its number of clients. */
  counts?(): Readonly<Record<string, number>>;
}

/** A publication on its way to other instances or into the history. @publicApi */
export interface AdapterPublication {
  readonly channel: string;
  /** The frame's JSON as bytes, without a cursor. */
  readonly payload: Buffer;
  readonly exclude?: readonly string[];
}

/**
 * How far a message went. `cluster`: handed to every instance that listens (with one process, that is this one).
 * `local`: this instance only, the way to the others is down.
 *
 * @publicApi
 */
export type AdapterDelivery = 'cluster' | 'local';

/** Where a publication stands in the history now. @publicApi */
export interface AppendResult {
  readonly position: Position;
  /** True when the key had been used on the channel: nothing was appended, and `position` is the first one's. */
  readonly duplicate?: boolean;
}

/** Makes a publication happen once on its channel. @publicApi */
export interface OnceKey {
  readonly key: string;
  /** How long it is remembered, in ms. */
  readonly ttl: number;
}

/** How much of a channel is kept. @publicApi */
export interface HistorySettings {
  /** Publications kept per channel. */
  readonly size: number;
  /** Milliseconds after the last publication until the history is dropped. */
  readonly ttl: number;
  /** Milliseconds after which one publication is no longer handed out; absent: as long as it is kept. */
  readonly maxAge?: number;
}

/** What a subscriber that joins is to be given: `after`, or `last`, or where the channel stands only. @publicApi */
export interface ReadRequest {
  /** Everything after this position. */
  readonly after?: Position;
  /** Or the last N publications. */
  readonly last?: number;
  /**
   * The most that is handed out: with `after`, more counts as not recovered and is not read; with `last`, the newest that fit.
   * @default unlimited
   */
  readonly bounds?: ReadBounds;
}

/** How much one recovery may hand out. @publicApi */
export interface ReadBounds {
  readonly maxPublications: number;
  /** Of all payloads together. */
  readonly maxBytes: number;
}

/** A publication in the history. @publicApi */
export interface StoredPublication {
  readonly position: Position;
  /** The frame's JSON as bytes, without the cursor. */
  readonly payload: Buffer;
}

/** What a subscriber that joins has missed, and where the channel stands. @publicApi */
export interface ReadResult {
  /** With `after`: whether `publications` is everything after it. False: `publications` is empty. */
  readonly recovered: boolean;
  /** In order of their positions. */
  readonly publications: StoredPublication[];
  /** Where the channel stands at the moment of reading. */
  readonly position: Position;
  /**
   * Whether offsets leave numbers out, as those of a stream do that feeds many channels. Then every position between
   * `after` and `position` is continued by what comes after it, whether or not a publication stands there.
   */
  readonly sparse?: boolean;
}

/** Which page of the history. @publicApi */
export interface HistoryQuery {
  /** At most so many publications. */
  readonly limit: number;
  /** Begin after (in reverse: before) this position. */
  readonly after?: Position;
  /** Newest first. */
  readonly reverse?: boolean;
}

/** A page of what is stored; an application gets it from `hub.history()`, decoded. @publicApi */
export interface HistoryPage {
  readonly publications: StoredPublication[];
  /** Where the channel stands. */
  readonly position: Position;
  /**
   * Whether the page reaches the end in its direction: nothing that is held lies beyond it, and with `after`
   * nothing between `after` and the page's first publication has been lost.
   */
  readonly complete: boolean;
}

/** What a repeated publication is answered with. @publicApi */
export interface IdempotentResult {
  /** Absent while the first attempt is still under way. */
  readonly delivered?: AdapterDelivery;
  readonly cursor?: string;
}

/** One connection's presence on a channel. @publicApi */
export interface PresenceMember {
  readonly connectionId: string;
  /** The user's id; null for an anonymous connection. */
  readonly user: string | null;
  readonly info?: unknown;
}

/** Who a control command is about. @publicApi */
export type ConnectionTarget = { readonly userId: string } | { readonly connectionId: string };

/** What one instance asks of all others about a user or a connection. @publicApi */
export type ControlCommand =
  | { readonly kind: 'send'; readonly target: ConnectionTarget; readonly payload: string }
  | { readonly kind: 'disconnect'; readonly target: ConnectionTarget; readonly code: number; readonly reason: string }
  | { readonly kind: 'subscribe'; readonly target: ConnectionTarget; readonly channel: string }
  | { readonly kind: 'unsubscribe'; readonly target: ConnectionTarget; readonly channel: string; readonly reason: string };
