import type { RealtimeError } from '../protocol/errors';
import type { ChannelDeclaration, InfoOf, PublishesOf, SubscribedDataOf, UndeclaredChannel } from '../protocol/channel-declarations';
import type {
  ChannelEvents,
  HistoryOptions,
  HistoryPage,
  MessageArguments,
  MessageContext,
  PresenceMember,
  PresenceSnapshot,
  PublishAck,
  PublishOptions,
  ReceivedMessage,
  SubscribeOptions,
  SubscribedContext,
  UnsubscribedContext,
} from './channel.types';
import { Emitter } from './emitter';
import type { Frame, OutgoingFrame } from './frame';
import { MessageIterator } from './message-iterator';
import { PresenceList } from './presence-list';
import { Subscription, type SubscriptionHost } from './subscription';

/** An async iterator, as the channel feeds it. */
interface Reader {
  push(message: AnyMessage): void;
  end(error?: Error): void;
}

/** What a channel needs of its client. */
export interface ChannelHost extends SubscriptionHost {
  /** Why there will be no connection until the application asks for one. */
  readonly stoppedBy?: RealtimeError;
  /** Sends a message through the outbox. `isRepeatable`: it may be sent again when the outcome is unknown. */
  request(message: OutgoingFrame, isRepeatable: boolean, timeout?: number): Promise<Frame>;
  /** Sends what waited for a subscription. */
  flush(): void;
  /** An idempotency key that nobody else uses. */
  newKey(): string;
  /** Tells the application, on the client. */
  emit(event: 'error', error: RealtimeError): void;
  emit(event: 'subscribed', channel: Channel, context: SubscribedContext<unknown>): void;
}

/** Data of frames is as the server sends it: what is declared is trusted. */
type Untyped = ChannelEvents<UndeclaredChannel>;
type AnyMessage = ReceivedMessage<UndeclaredChannel['messages']>;
type DataOf<Declaration extends ChannelDeclaration> = Declaration['messages'][keyof Declaration['messages']];

/**
 * One channel, as the application sees it. Made by {@link RealtimeClient.channel}; there is one for each name.
 *
 * @example
 * const room = client.channel<ChatMessage>('room:lobby');
 * room.on('message', (message, { from }) => show(message, from));
 * room.on('reset', () => reload());
 * await room.subscribe();
 *
 * @publicApi
 */
export class Channel<Declaration extends ChannelDeclaration = UndeclaredChannel>
  extends Emitter<ChannelEvents<Declaration>>
  implements AsyncIterable<DataOf<Declaration>>
{
  /** @internal */
  readonly subscription: Subscription;
  private readonly readers = new Set<Reader>();
  /** Once the application has asked for it. */
  private present?: PresenceList;

  /** @internal */
  constructor(
    readonly name: string,
    private readonly host: ChannelHost,
  ) {
    super();
    this.subscription = new Subscription(name, host, {
      publication: (frame) => this.deliver(frame),
      subscribed: (context) => this.subscribed(context),
      unsubscribed: (context) => this.unsubscribed(context),
      reset: (context) => {
        // Joins and leaves are not kept in the history: some may have been missed.
        this.readPresence();
        this.emitUntyped('reset', context);
      },
      error: (error) => this.failed(error),
    });
  }

  /** `subscribing` while it is wanted and not, or no longer, accepted. */
  get state(): 'unsubscribed' | 'subscribing' | 'subscribed' {
    return this.subscription.state;
  }

  /** The position: the cursor of the last message received, or where the subscription began. */
  get cursor(): string | undefined {
    return this.subscription.position;
  }

  /**
   * Subscribes, and again after every reconnection, from the last position, until {@link unsubscribe}. Idempotent.
   *
   * @returns resolves when the server has accepted; waits for a connection as long as that takes
   * @throws RealtimeError when the server refuses (`forbidden`...), does not answer in time, or the client stops
   */
  subscribe(options: SubscribeOptions = {}): Promise<SubscribedContext<SubscribedDataOf<Declaration>>> {
    const { stoppedBy } = this.host;
    if (stoppedBy) return Promise.reject(stoppedBy);
    return this.subscription.subscribe(options) as Promise<SubscribedContext<SubscribedDataOf<Declaration>>>;
  }

  /** Ends the subscription and forgets the position. Iterators end. */
  unsubscribe(): void {
    this.subscription.unsubscribe();
  }

  /**
   * Publishes through the channel's handler on the server. Without a connection it waits in the offline queue; when the
   * connection is lost before the answer, it is sent again under the same idempotency key, so it is published once.
   *
   * @returns resolves when the server has taken it
   * @throws RealtimeError what the server answered; {@link UnansweredError}, {@link ClientLimitError}
   * @throws TypeError when the data has no JSON form
   * @example
   * await room.publish('chat', { text: 'hi' });
   */
  async publish<Type extends keyof PublishesOf<Declaration> & string>(
    type: Type,
    data: PublishesOf<Declaration>[Type],
    { timeout, idempotencyKey = this.host.newKey() }: PublishOptions = {},
  ): Promise<PublishAck> {
    const message = { type, channel: this.name, data, idempotencyKey };
    const ack = await this.host.request(message, true, timeout);
    return { cursor: ack.cursor, data: ack.data, timestamp: ack.timestamp };
  }

  /**
   * Listens to the messages of one type.
   *
   * @returns removes the listener
   */
  onMessage<Type extends keyof Declaration['messages'] & string>(
    type: Type,
    listener: (message: Declaration['messages'][Type], context: MessageContext<Type>) => void,
  ): () => void {
    const forType = (...[message, context]: MessageArguments<Declaration['messages']>): void => {
      if (context.type === type) listener(message as never, context as never);
    };
    return this.on('message', forType);
  }

  /** The data of each message from now on, read at the loop's pace. Throws {@link ClientLimitError} when too slow. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DataOf<Declaration>> {
    return this.iterate(({ data }) => data as DataOf<Declaration>);
  }

  /** Each message from now on with its type and context, read at the loop's pace. */
  messages(): AsyncIterableIterator<ReceivedMessage<Declaration['messages']>> {
    return this.iterate((message) => message as ReceivedMessage<Declaration['messages']>);
  }

  /**
   * The members of the channel: one list that the client keeps in step from the first call on. It is empty until it has
   * been read from the server; a `presence` event tells of every change.
   */
  presence(): readonly PresenceMember<InfoOf<Declaration>>[] {
    if (!this.present) {
      this.present = new PresenceList();
      this.readPresence();
    }
    return this.present.list as PresenceMember<InfoOf<Declaration>>[];
  }

  /** Asks the server who is on the channel. */
  async fetchPresence(): Promise<PresenceSnapshot<InfoOf<Declaration>>> {
    const { data } = await this.ask({ type: 'presence' });
    return data as PresenceSnapshot<InfoOf<Declaration>>;
  }

  /** Reads a page of the channel's history. */
  async history(options: HistoryOptions = {}): Promise<HistoryPage<Declaration['messages']>> {
    const { data } = await this.ask({ type: 'history', data: options });
    return data as HistoryPage<Declaration['messages']>;
  }

  /** @internal */
  member(type: 'join' | 'leave', member: PresenceMember): void {
    this.present?.apply(type, member);
    this.emitUntyped(type, member);
    this.presenceChanged();
  }

  /** @internal An error about the channel that answers nothing. */
  failed(error: RealtimeError): void {
    this.emitUntyped('error', error);
    this.host.emit('error', error);
  }

  /** @internal No message follows: the client has stopped or was closed. */
  end(error?: Error): void {
    for (const reader of this.readers) reader.end(error);
  }

  private iterate<T>(read: (message: AnyMessage) => T): MessageIterator<T, AnyMessage> {
    const { iteratorBuffer } = this.host.settings;
    const iterator = new MessageIterator(iteratorBuffer, read, () => this.readers.delete(iterator));
    this.readers.add(iterator);
    return iterator;
  }

  private ask(message: OutgoingFrame): Promise<Frame> {
    return this.host.request({ ...message, channel: this.name }, true);
  }

  private deliver({ type, data, from, cursor, timestamp }: Frame): void {
    const context: MessageContext = { type, from, cursor, timestamp };
    for (const reader of this.readers) reader.push({ ...context, data });
    this.emitUntyped('message', data, context);
  }

  private subscribed(context: SubscribedContext<unknown>): void {
    this.readPresence();
    this.emitUntyped('subscribed', context);
    this.host.emit('subscribed', this as unknown as Channel, context);
  }

  private unsubscribed(context: UnsubscribedContext): void {
    this.present?.end([]);
    this.emitUntyped('unsubscribed', context);
    this.end(context.error);
    // What waited for the subscription waits no longer.
    this.host.flush();
  }

  private readPresence(): void {
    const { present } = this;
    if (!present || this.state !== 'subscribed') return;
    present.begin();
    this.host.call({ type: 'presence', channel: this.name }, (error, frame) => {
      const isWanted = this.state === 'subscribed';
      const snapshot = frame?.data as PresenceSnapshot | undefined;
      present.end(isWanted ? snapshot?.members : undefined);
      // When the connection was lost, it is read on the next one.
      if (!isWanted) return;
      if (snapshot) this.presenceChanged();
      else this.failed(error!);
    });
  }

  private presenceChanged(): void {
    if (this.present) this.emitUntyped('presence', [...this.present.list]);
  }

  private emitUntyped<E extends keyof Untyped>(event: E, ...args: Untyped[E]): void {
    (this.emit as (event: E, ...args: Untyped[E]) => void).call(this, event, ...args);
  }
}
