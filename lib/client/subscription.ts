import { type ErrorCode, RealtimeError } from '../protocol/errors';
import { Backoff } from './backoff';
import type { ResetContext, SubscribeOptions, SubscribedContext, UnsubscribedContext } from './channel.types';
import { ClosedError, UnansweredError } from './client.errors';
import type { ClientSettings } from './client.options';
import { type Deferred, defer } from './deferred';
import type { Frame, OutgoingFrame } from './frame';
import type { Positions } from './positions';
import type { Settle } from './reply-registry';
import { Timer } from './timer';

/** Errors that pass: a resubscription is tried again. */
const TEMPORARY: ReadonlySet<ErrorCode> = new Set(['unavailable', 'internal', 'rate_limited']);

/** The protocol's close codes from here on are final. */
const FIRST_FINAL_CODE = 4500;

/** What a subscription needs of its client. */
export interface SubscriptionHost {
  readonly settings: ClientSettings;
  readonly positions: Positions;
  /** Whether a link is open. */
  readonly isOpen: boolean;
  /**
   * Sends a message on the open link. `settle` is called once: with the answer, or when none will come.
   *
   * @param timeout ms to wait for the answer; the client's `timeout` unless given
   */
  call(frame: OutgoingFrame, settle: Settle, timeout?: number): void;
}

/** What a subscription tells its channel. */
export interface SubscriptionHooks {
  publication(frame: Frame): void;
  subscribed(context: SubscribedContext<unknown>): void;
  unsubscribed(context: UnsubscribedContext): void;
  reset(context: ResetContext): void;
  error(error: RealtimeError): void;
}

/**
 * A channel's place on the server and in its history.
 *
 * Cursors are opaque, so a duplicate cannot be told by its cursor. What guarantees that each publication is handed on
 * once and in order is this: a link's publications count only from its first `subscribed` on; the request for it names
 * the last publication handed on; and the server answers with exactly what follows that one, or with the admission that
 * it cannot.
 */
export class Subscription {
  /** The application wants it: it survives connections. */
  private wanted = false;
  /** The last publication handed on, or where the server said that we stand. */
  position?: string;
  /** On this link, publications of the channel are ours. */
  private live = false;
  /** A subscribe awaits its answer. */
  private pending = false;
  /** Grows whenever what was asked or begun before no longer counts. */
  private epoch = 0;
  /** The server lost continuity while a subscribe was on its way. */
  private wasReset = false;
  /** The server has accepted it since the application asked. */
  private wasAccepted = false;
  /** What came when the server joined the channel on this link: the answer to a request of ours says it no more. */
  private joinData: unknown;
  private replay?: number;
  private waiter?: Deferred<SubscribedContext<unknown>>;
  private last?: SubscribedContext<unknown>;
  private readonly retryTimer: Timer;
  private readonly backoff: Backoff;

  constructor(
    private readonly channel: string,
    private readonly host: SubscriptionHost,
    private readonly hooks: SubscriptionHooks,
  ) {
    const { settings, positions } = host;
    this.position = positions.load(channel);
    this.retryTimer = new Timer(settings.platform);
    this.backoff = new Backoff(settings, settings.platform);
  }

  get state(): 'unsubscribed' | 'subscribing' | 'subscribed' {
    if (this.live && !this.pending) return 'subscribed';
    return this.wanted || this.pending || this.retryTimer.handle ? 'subscribing' : 'unsubscribed';
  }

  subscribe({ cursor, replay }: SubscribeOptions): Promise<SubscribedContext<unknown>> {
    if (this.wanted) return this.waiter?.promise ?? Promise.resolve(this.last!);
    this.wanted = true;
    this.wasAccepted = false;
    this.replay = replay;
    this.position = cursor ?? this.position;
    this.waiter = defer();
    const { promise } = this.waiter;
    this.opened();
    return promise;
  }

  /** Gives up the channel and the place in it. */
  unsubscribe(): void {
    if (this.state === 'unsubscribed') return;
    this.tellUnsubscribe();
    this.giveUp({ reason: 'unsubscribe() was called' }, new ClosedError('unsubscribe'));
  }

  /** A link is open. */
  opened(): void {
    if (this.wanted && this.host.isOpen) this.ask();
  }

  /** The link is gone: nothing that was said on it counts any longer. */
  lost(): void {
    this.live = false;
    this.joinData = undefined;
    this.backoff.restart();
    this.settle();
  }

  /** There will be no link until the application asks for one. Whoever waits is told; what was accepted stays wanted. */
  stopped(cause: RealtimeError): void {
    this.lost();
    if (!this.waiter) return;
    this.wanted = false;
    // The client tells why it has stopped. Nobody has to await a subscription for that.
    this.waiter.promise.catch(() => undefined);
    this.rejectWaiter(cause);
  }

  publication(frame: Frame): void {
    if (!this.live) return;
    // Before the listeners run: one of them may leave the channel, and with it the position.
    if (frame.cursor !== undefined) this.moveTo(frame.cursor);
    this.hooks.publication(frame);
  }

  /** A `subscribed` without a request of ours: the server has joined the channel, and knows nothing of our position. */
  joined(frame: Frame): void {
    if (this.live) return;
    const { position, pending } = this;
    this.joinData = frame.data;
    if (position === undefined || position === frame.cursor || !frame.cursor) this.accepted(frame);
    // A request that names our position tells whether it can be continued.
    else if (!pending) this.ask();
  }

  /** The server took the channel away: for good, or only because it lost its place in it. */
  removed({ data }: Frame): void {
    const isOurs = this.state === 'subscribed';
    this.live = false;
    if (!isOurs) return;
    const { code, reason = 'ended by the server' } = (data ?? {}) as { code?: number; reason?: string };
    const isTemporary = code! < FIRST_FINAL_CODE;
    const error = new RealtimeError(isTemporary ? 'unavailable' : 'forbidden', reason);
    if (isTemporary) this.failed(error);
    else this.giveUp({ code, reason, error }, error);
  }

  /** Continuity was lost on the server's side. */
  reset({ cursor }: Frame): void {
    if (this.live) {
      this.moveTo(cursor);
      this.hooks.reset({ by: 'server', cursor });
    } else {
      this.wasReset = this.pending;
    }
  }

  private ask(): void {
    const { channel, live } = this;
    // A channel that the server has joined on this link goes on where it is.
    const cursor = live ? undefined : this.position;
    const replay = live || cursor !== undefined ? undefined : this.replay;
    const epoch = this.settle();
    this.pending = true;
    const settle: Settle = (error, frame) => {
      if (epoch !== this.epoch) return;
      if (frame) this.answered(frame);
      else this.failed(error!);
    };
    // A resubscription waits as long as the link lives: asking twice would make two answers of one.
    this.host.call({ type: 'subscribe', channel, cursor, replay }, settle, this.waiter ? undefined : Infinity);
  }

  private answered(frame: Frame): void {
    const { waiter } = this;
    this.pending = false;
    this.replay = undefined;
    this.waiter = undefined;
    this.backoff.restart();
    this.accepted(frame);
    waiter?.resolve(this.last!);
  }

  private accepted(frame: Frame): void {
    const { live, position: from, wasReset, wasAccepted, epoch } = this;
    const { data = this.joinData, recoverable = false } = frame;
    // On a link where it is live already, nothing is amiss, and the answer's position may be older than ours.
    const continues = live || (frame.recovered ?? (from !== undefined && from === frame.cursor));
    const hasGap = wasReset || (from !== undefined && !continues);
    this.live = this.wasAccepted = true;
    this.wasReset = false;
    if (!continues) this.moveTo(frame.cursor);
    const recovered = from === undefined ? undefined : !hasGap;
    const { position: cursor, wanted } = this;
    this.last = { data, recoverable, recovered, cursor, resubscribed: wasAccepted, byServer: !wanted };
    this.hooks.subscribed(this.last);
    // A listener may have left the channel.
    if (hasGap && epoch === this.epoch) this.hooks.reset({ by: 'resubscribe', cursor });
  }

  private failed(error: RealtimeError): void {
    const { waiter, live } = this;
    const mayPass = !waiter && TEMPORARY.has(error.code);
    this.settle();
    this.wanted &&= mayPass;
    this.rejectWaiter(error);
    if (!live && mayPass) this.retryTimer.set(this.backoff.next(), () => this.ask());
    // The server may still act on what it did not answer in time.
    if (!live && !mayPass && error instanceof UnansweredError) this.tellUnsubscribe();
    if (waiter) return;
    if (!live && !mayPass) this.hooks.unsubscribed({ reason: error.message, error });
    this.hooks.error(error);
  }

  private giveUp(context: UnsubscribedContext, error: RealtimeError): void {
    this.lost();
    this.wanted = false;
    this.moveTo(undefined);
    this.rejectWaiter(error);
    this.hooks.unsubscribed(context);
  }

  private rejectWaiter(error: RealtimeError): void {
    this.waiter?.reject(error);
    this.waiter = undefined;
  }

  private moveTo(cursor: string | undefined): void {
    if (cursor === this.position) return;
    this.position = cursor;
    this.host.positions.save(this.channel, cursor);
  }

  private tellUnsubscribe(): void {
    this.host.call({ type: 'unsubscribe', channel: this.channel }, (_error, frame) => {
      // The server may have joined the channel meanwhile: not any more.
      if (frame && !this.wanted) this.removed(frame);
    });
  }

  private settle(): number {
    this.pending = this.wasReset = false;
    this.retryTimer.clear();
    return ++this.epoch;
  }
}
