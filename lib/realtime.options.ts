import type { IncomingMessage } from 'node:http';
import type { ValidationPipeOptions } from '@nestjs/common';
import type { AdapterFactory } from './adapter/adapter-factory';
import type { AuthenticatorSetting, AuthResult } from './auth';
import type { SlowConsumerPolicy } from './hub/frame';
import type { EnvelopeFields } from './protocol/envelope';
import type { SourceFactory } from './sources/channel-source';
import type { GuardOption } from './transports/ws/guard-resolver';
import type { OriginOption } from './transports/ws/origin-policy';

/** A length of time: a number of ms, or text such as `'30s'`, `'10m'`, `'2h'`. @publicApi */
export type Duration = number | string;

/**
 * Options of `RealtimeModule`. All are optional. A limit or time of 0 or less means the default.
 *
 * @publicApi
 */
export interface RealtimeModuleOptions {
  /** Where clients connect. The global prefix does not apply. @default '/ws' */
  path?: string;

  /**
   * Guards at the HTTP upgrade: classes, taken from DI, or objects. `BearerTokenGuard`, `QueryTokenGuard` and `anyOf` of
   * them ask `auth.authenticator`; when none of them is listed and an authenticator is, its token is required all the
   * same.
   *
   * @default []
   */
  guards?: readonly GuardOption[];

  /** Who connects. @default nobody is asked */
  auth?: AuthOptions;

  /** Which origins browsers may connect from. @default same origin only */
  origins?: OriginOption;

  /** How dead connections are found. @default a ping every 30 s, 60 s for its answer */
  heartbeat?: HeartbeatOptions;

  /** What clients may take. */
  limits?: LimitOptions;

  /** What happens to connections that read too slowly; channels may differ. @default 'disconnect' */
  slowConsumer?: SlowConsumerPolicy | SlowConsumerOptions;

  /**
   * Channels by pattern, and how they behave. A channel can be subscribed to when a pattern here, a handler or a source
   * declares it: `{ '*': {} }` opens all.
   *
   * @default {}
   */
  channels?: Readonly<Record<string, ChannelOptions>>;

  /** What a client may have missed and still gets when it is back. */
  recovery?: RecoveryOptions;

  /** What connects instances and keeps history. @default the in-memory adapter: one process */
  adapter?: AdapterFactory;

  /** What feeds channels from outside, such as `redisStreamSource()`; a source's channels can be subscribed to. @default [] */
  sources?: readonly SourceFactory[];

  /** Renames the fields `type` and `data` on the wire, both ways. */
  envelope?: Partial<EnvelopeFields>;

  /** Whether clients are greeted with a `connected` frame. @default true */
  welcome?: boolean;

  /** Server-Sent Events at `{path}/events`. @default true */
  sse?: boolean | SseOptions;

  /**
   * permessage-deflate, for clients that offer it: `true`, or from how many bytes on a message is compressed
   * (`threshold`, 1024 by default). Off by default: it trades the server's CPU for bandwidth.
   *
   * @default false
   */
  compression?: boolean | { threshold?: number };

  /** The channel of a room that `{path}/:room` or `?room=` names. @default 'room:{room}' */
  roomChannel?: string | ((room: string) => string);

  /** How clients are sent away. */
  shutdown?: ShutdownOptions;

  /**
   * How class-validator DTOs of handlers are validated: options of Nest's `ValidationPipe`, or false to leave validation
   * to pipes of your own.
   *
   * @default { transform: true }
   */
  validation?: ValidationPipeOptions | false;
}

/**
 * Makes the options in a class, for `forRootAsync({ useClass })` and `forRootAsync({ useExisting })`.
 *
 * @example
 * \@Injectable()
 * class RealtimeConfig implements RealtimeOptionsFactory {
 *   constructor(private readonly config: ConfigService) {}
 *   createRealtimeOptions() { return { path: this.config.get('WS_PATH') }; }
 * }
 *
 * @publicApi
 */
export interface RealtimeOptionsFactory {
  /** Called once, at the start; what it throws stops the start. */
  createRealtimeOptions(): RealtimeModuleOptions | Promise<RealtimeModuleOptions>;
}

/** Who connects, and what happens when that is not known. @publicApi */
export interface AuthOptions {
  /** Says who a token belongs to: an authenticator, a function, a class or an injection token. @default none */
  authenticator?: AuthenticatorSetting;
  /** Called once for every upgrade that is refused with 401. What it returns or throws changes nothing. */
  onFailure?: (request: IncomingMessage, result: AuthResult) => unknown;
}

/** How dead connections are found. Of WebSockets by pings; event streams get comments. @publicApi */
export interface HeartbeatOptions {
  /** Between two pings to a connection. @default 30000 ms */
  interval?: Duration;
  /** Without a pong for so long, a connection is closed with 4001. At or under the interval: twice that. @default 60000 ms */
  timeout?: Duration;
}

/** What one client, and all of them together, may take of this instance. @publicApi */
export interface LimitOptions {
  /** Largest message from a client, in bytes; a larger one closes with 1009. @default 65536 */
  maxMessageBytes?: number;
  /** Bytes that may wait for one connection. @default 1048576 */
  sendQueueBytes?: number;
  /** Frames that may wait for one connection. @default 256 */
  sendQueueFrames?: number;
  /** Channels that one connection may be subscribed to. @default 1024 */
  subscriptionsPerConnection?: number;
  /** Connections of this instance; more are refused with 503. @default 100000 */
  connections?: number;
  /** Connections of one user on this instance; more are closed with 4504. @default unlimited */
  connectionsPerUser?: number;
  /** Characters of a channel's name. @default 256 */
  channelNameLength?: number;
  /** Messages that one client may send in a second. @default unlimited */
  messagesPerSecond?: number;
  /** Commands of one client that may run or wait at a time; with more, its socket is not read. @default 64 */
  pendingCommands?: number;
  /**
   * How long guards and handshake handlers may take before the upgrade is refused with 503; `@OnConnect` handlers before the
   * connection is closed with 1011; channels to join before the greeting is sent without them; and an authenticator to judge
   * the token of a `refresh`.
   *
   * @default 10000 ms
   */
  handshakeTimeout?: Duration;
}

/** What happens to connections that read more slowly than they are sent to. @publicApi */
export interface SlowConsumerOptions {
  /** @default 'disconnect' */
  policy?: SlowConsumerPolicy;
  /** A write that has waited for so long ends the connection with 4008. @default 10000 ms */
  writeTimeout?: Duration;
}

/** Server-Sent Events. @publicApi */
export interface SseOptions {
  /** Channels of one stream, 1 to 128; more are refused with 400. The id of each event grows with them. @default 64 */
  channels?: number;
}

/** How channels behave. @publicApi */
export interface ChannelOptions {
  /** Keep publications, so that clients can replay and recover them. @default none */
  history?: HistoryOptions;
  /** Keep who is subscribed. @default false */
  presence?: boolean | PresenceOptions;
  /** @default the module's */
  slowConsumer?: SlowConsumerPolicy;
}

/** Who is subscribed to a channel, over all instances. @publicApi */
export interface PresenceOptions {
  /** Whether members are told of each other by `join` and `leave`; `hub.presence()` knows them in any case. @default true */
  announce?: boolean;
  /**
   * How long a member whose connection was lost stays one, so that nobody is absent for a reconnect. Who unsubscribes,
   * closes, or is disconnected for good leaves at once, as everybody does with 0. @default 2000 ms
   */
  gracePeriod?: Duration;
}

/** What is kept of a channel. It makes the channel recoverable. @publicApi */
export interface HistoryOptions {
  /** Publications kept per channel. */
  size: number;
  /** How long after the last publication the history is dropped. */
  ttl: Duration;
  /** How long one publication is handed out. @default as long as it is kept */
  maxAge?: Duration;
}

/**
 * Bounds of a recovery, and of a `replay`. A client that missed more is told `recovered: false`; of a replay it gets the
 * newest that are within.
 *
 * @publicApi
 */
export interface RecoveryOptions {
  /** Publications of one channel. @default 10000 */
  maxPublications?: number;
  /**
   * Their payloads together, in bytes. All recoveries of an instance together hold up to 16 times as much in memory; the
   * others wait. @default 4194304
   */
  maxBytes?: number;
}

/** How clients are sent away when the application closes. @publicApi */
export interface ShutdownOptions {
  /** Longest time that draining may take. @default 10000 ms */
  timeout?: Duration;
  /** Clients are advised to come back at a random time within this. @default 5000 ms */
  reconnectSpread?: Duration;
}
