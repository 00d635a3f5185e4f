import type { ConnectedUser } from '../protocol/connected-user';
import type { Position } from '../protocol/cursor';
import type { OutboundMessage } from '../protocol/envelope';
import type { Frame } from './frame';
import { Handshake } from './handshake';
import { SerializationError } from './hub.errors';
import { assertDirectType } from './own-type';
import type { Subscriber } from './subscriber';

/** The part of a hub that a connection speaks to. */
export interface ConnectionHub {
  encode(message: OutboundMessage): Frame;
}

/** Facts a connection begins with. */
export interface ConnectionInit {
  readonly id: string;
  readonly transport: string;
  readonly user?: ConnectedUser;
  readonly handshake?: Handshake;
}

/**
 * One client, whatever it is connected by. Handlers get it with `@ConnectedClient()`.
 *
 * @publicApi
 */
export abstract class Connection implements Subscriber {
  readonly id: string;
  /** `websocket`, `sse`, or `custom` for a subscriber passed to `hub.register()`. */
  readonly transport: string;
  readonly handshake: Handshake;
  /** Who is connected; undefined without authentication. Set before `@OnConnect` runs. */
  user: ConnectedUser | undefined;
  /** The room that the connection's path fixed: messages without a channel belong to it. @internal */
  room: string | undefined;
  /** Settles when `@OnConnect` is through and messages may be handled; undefined from then on. @internal */
  ready: Promise<void> | undefined;
  /** When the connection began, in ms since the epoch. */
  readonly connectedAt = Date.now();
  /** Its subscriptions by channel; `ChannelRegistry` knows what they are. @internal */
  readonly subscriptions = new Map<string, object>();
  private attributes: Map<unknown, unknown> | undefined;
  private shown: unknown;

  protected constructor(
    protected readonly hub: ConnectionHub,
    init: ConnectionInit,
  ) {
    this.id = init.id;
    this.transport = init.transport;
    this.user = init.user;
    this.handshake = init.handshake ?? Handshake.none;
  }

  /**
   * Shown to others as `info` in presence. Set it in `@OnConnect` or `@OnSubscribe`; anything that JSON can carry. What is
   * set is copied: to change it, set it again.
   *
   * @throws SerializationError when it has no JSON form
   */
  get info(): unknown {
    return this.shown;
  }

  set info(value: unknown) {
    this.shown = value === undefined ? undefined : copyOf(value);
  }

  /** The publisher's name on what this connection publishes: the user's id, else the connection's. */
  get sender(): string {
    return this.user?.id ?? this.id;
  }

  /** Names of the channels this connection is subscribed to. */
  get channels(): string[] {
    return [...this.subscriptions.keys()];
  }

  /** Room for an application's own values, kept as long as the connection. */
  get data(): Map<unknown, unknown> {
    return (this.attributes ??= new Map());
  }

  /** Whether frames still go out. */
  abstract get open(): boolean;

  abstract send(frame: Frame): boolean;
  /**
   * Ends the connection. Idempotent.
   *
   * @param code 1000, 1001, 1007–1014 or 3000–4999. Default: 1000
   * @param reason at most 123 bytes
   * @throws RangeError for others; the connection then stays as it is
   */
  abstract close(code?: number, reason?: string): void;

  /**
   * Sends one message to this client alone.
   *
   * @param type what the message is
   * @param data the payload; anything that JSON can carry
   * @returns whether the connection took it
   * @throws ReservedTypeError for a word of the protocol other than `error`, SerializationError when `data` has no JSON form
   * @example client.emit('notice', { unread: 3 });
   */
  emit(type: string, data?: unknown): boolean {
    assertDirectType(type);
    return this.sendMessage({ type, data });
  }

  /** @internal */
  sendMessage(message: OutboundMessage): boolean {
    return this.send(this.hub.encode(message));
  }

  /** A channel goes on from elsewhere; the frame that says so follows. @internal */
  continueAt(_channel: string, _position: Position): void {}

  /** Stops taking messages from the client, who then waits. @internal */
  pauseReading(): void {}

  /** @internal */
  resumeReading(): void {}

  /** Whether the client keeps up with what it is sent. @internal */
  get writable(): boolean {
    return true;
  }

  /** Resolves when the client has caught up or the connection ended. @internal */
  whenWritable(): Promise<void> {
    return Promise.resolve();
  }
}

/** As it will be on the wire, so that a presence can always be told. */
function copyOf(info: unknown): unknown {
  try {
    const json: string | undefined = JSON.stringify(info);
    if (json === undefined) throw new TypeError(`a ${typeof info} has no JSON form`);
    return JSON.parse(json);
  } catch (error) {
    throw new SerializationError('info', undefined, error);
  }
}
