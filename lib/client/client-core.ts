import type { RealtimeError } from '../protocol/errors';
import { Channel, type ChannelHost } from './channel';
import type { PresenceMember } from './channel.types';
import { ClosedError, UnansweredError, errorOfFrame } from './client.errors';
import type { ClientEmit } from './client.events';
import type { ClientSettings } from './client.options';
import { Connection, type ConnectionHost } from './connection';
import type { StateChange } from './connection-state';
import { type Deferred, defer } from './deferred';
import { type Frame, FrameCodec, type OutgoingFrame } from './frame';
import { Outbox, type OutboxHost } from './outbox';
import { Positions } from './positions';
import { ReplyRegistry, type Settle } from './reply-registry';
import { type TokenHost, TokenKeeper } from './token-keeper';
import type { Transport } from './transport';
import { TransportChoice } from './transport-choice';

/** The parts of a client, wired: hands each frame to whom it concerns. */
export class ClientCore implements ChannelHost, ConnectionHost, OutboxHost, TokenHost {
  readonly positions: Positions;
  stoppedBy?: RealtimeError;
  private readonly byName = new Map<string, Channel>();
  private readonly tokens: TokenKeeper;
  private readonly frames: FrameCodec;
  private readonly replies: ReplyRegistry;
  private readonly outbox: Outbox;
  private readonly connection: Connection;
  private readonly unwatch: () => void;
  private readonly keyPrefix = randomText();
  private lastId = 0;
  private closed = false;
  private connecting?: Deferred<void>;

  constructor(
    url: string,
    readonly settings: ClientSettings,
    transports: readonly Transport[],
    readonly emit: ClientEmit,
  ) {
    const { platform } = settings;
    this.frames = new FrameCodec(settings.envelope);
    this.tokens = new TokenKeeper(settings.token, platform, this);
    this.positions = new Positions(settings, (error) => emit('error', error));
    this.replies = new ReplyRegistry(platform);
    this.outbox = new Outbox(settings, this.frames, this.replies, this);
    this.connection = new Connection(url, settings, new TransportChoice(transports), this.tokens, this.frames, this);
    this.unwatch = platform.watch((event) => this.connection.react(event));
  }

  get state(): Connection['state'] {
    return this.connection.state;
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  async connect(): Promise<void> {
    if (this.closed) throw new ClosedError('close');
    if (this.state === 'connected') return;
    this.stoppedBy = undefined;
    this.connecting ??= defer();
    const { promise } = this.connecting;
    this.connection.connect();
    await promise;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unwatch();
    this.lost();
    this.stopped(new ClosedError('close'));
    this.connection.close();
  }

  channel(name: string): Channel {
    let channel = this.byName.get(name);
    if (!channel) this.byName.set(name, (channel = new Channel(name, this)));
    return channel;
  }

  removeChannel(name: string): void {
    const channel = this.byName.get(name);
    channel?.unsubscribe();
    channel?.end();
    this.byName.delete(name);
  }

  nextId(): number {
    return ++this.lastId;
  }

  newKey(): string {
    return `${this.keyPrefix}-${this.nextId()}`;
  }

  send(text: string): boolean {
    return this.connection.send(text);
  }

  isHeld(channel: string): boolean {
    return this.byName.get(channel)?.state === 'subscribing';
  }

  call(message: OutgoingFrame, settle: Settle, timeout = this.settings.timeout): void {
    const id = this.nextId();
    // A link that no longer takes anything is about to report its end.
    if (!this.send(this.frames.encode({ ...message, id }))) return;
    this.replies.expect(id, timeout, (error, frame) => {
      settle(error, frame);
      // The answer may have been what publications on the channel wait for.
      this.flush();
    });
  }

  async request(message: OutgoingFrame, isRepeatable: boolean, timeout?: number): Promise<Frame> {
    if (this.stoppedBy) throw this.stoppedBy;
    return this.outbox.send(message, isRepeatable, timeout);
  }

  flush(): void {
    this.outbox.flush();
  }

  opened(): void {
    for (const { subscription } of this.byName.values()) subscription.opened();
    this.flush();
  }

  lost(): void {
    this.tokens.stop();
    // First: the failures that follow mean nothing to a subscription that knows why.
    for (const { subscription } of this.byName.values()) subscription.lost();
    this.replies.fail(new UnansweredError('lost', true));
    this.outbox.lost();
  }

  stopped(error: RealtimeError): void {
    this.stoppedBy = error;
    this.outbox.fail(error);
    for (const channel of this.byName.values()) {
      channel.subscription.stopped(error);
      channel.end(this.closed ? undefined : error);
    }
    this.connecting?.reject(error);
    this.connecting = undefined;
  }

  stateChanged(...change: StateChange): void {
    if (change[0] === 'connected') {
      this.connecting?.resolve();
      this.connecting = undefined;
    }
    this.emit('state', ...change);
  }

  frame(frame: Frame): void {
    // Only answers have an id. One that nobody awaits any longer came too late.
    if (frame.id !== undefined) this.replies.answer(frame);
    else if (frame.channel !== undefined) this.channelFrame(frame, frame.channel);
    else this.directFrame(frame);
  }

  private directFrame(frame: Frame): void {
    const { type, data, from, timestamp } = frame;
    if (type === 'connected') this.tokens.learn(frame);
    else if (type === 'error') this.emit('error', errorOfFrame(frame));
    else if (type !== 'pong' && type !== 'draining') this.emit('message', data, { type, from, timestamp });
  }

  private channelFrame(frame: Frame, name: string): void {
    const { type } = frame;
    const channel = type === 'subscribed' ? this.channel(name) : this.byName.get(name);
    if (!channel) return;
    const { subscription } = channel;
    if (type === 'subscribed') subscription.joined(frame);
    else if (type === 'unsubscribed') subscription.removed(frame);
    else if (type === 'reset') subscription.reset(frame);
    else if (type === 'join' || type === 'leave') channel.member(type, frame.data as PresenceMember);
    else if (type === 'error') channel.failed(errorOfFrame(frame));
    else subscription.publication(frame);
  }
}

function randomText(): string {
  // Not crypto.randomUUID(): pages without TLS do not have it.
  return crypto.getRandomValues(new Uint32Array(4)).join('');
}
