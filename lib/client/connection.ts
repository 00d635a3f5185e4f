import { type CloseCode, isFinalCloseCode } from '../protocol/close-codes';
import type { ErrorCode, RealtimeError } from '../protocol/errors';
import { Backoff } from './backoff';
import { ConnectionError } from './client.errors';
import type { ClientEmit } from './client.events';
import type { ClientSettings } from './client.options';
import type { ConnectionState, StateChange } from './connection-state';
import type { Frame, FrameCodec } from './frame';
import type { EnvironmentEvent } from './platform';
import { Timer } from './timer';
import type { TokenKeeper } from './token-keeper';
import type { Link, LinkClose } from './transport';
import type { TransportChoice } from './transport-choice';
import { type Heartbeat, Watchdog } from './watchdog';

// By value, checked against the protocol's by their types: the table of all codes need not travel to the browser.
const NORMAL: typeof CloseCode.Normal = 1000;
const TOKEN_EXPIRED: typeof CloseCode.TokenExpired = 4005;
const UNAUTHORIZED: typeof CloseCode.Unauthorized = 4501;
const FORBIDDEN: typeof CloseCode.Forbidden = 4503;
/** No close frame came. */
const ABNORMAL = 1006;
/** A connection that held for so long, in ms, was a good one: the next reconnection begins with a short wait again. */
const STABLE_AFTER = 5000;
/** How soon after opening a server that sends no `connected` is asked for a sign of life, in ms. */
const FIRST_FRAME_WAIT = 1000;

/** What a connection needs of its client, and tells it. */
export interface ConnectionHost {
  /** A link is open: messages can be sent. */
  opened(): void;
  frame(frame: Frame): void;
  /** The link, if there was one, is gone. */
  lost(): void;
  /** There will be no further link unless the application asks for one. */
  stopped(error: RealtimeError): void;
  stateChanged(...change: StateChange): void;
  readonly emit: ClientEmit;
}

/**
 * Keeps one link to the server: opens it, notices its end, waits and opens the next. One at a time: each attempt has an
 * epoch, and whatever comes from an earlier one is ignored.
 */
export class Connection {
  state: ConnectionState = 'disconnected';
  /** Messages can be sent. */
  isOpen = false;
  private running = false;
  private epoch = 0;
  private link?: Link;
  /** The first frame has come: the server speaks our protocol. */
  private established = false;
  private establishedAt = 0;
  /** Reconnections in a row that have not led to a connection. */
  private retries = 0;
  /** Waiting for the next attempt. */
  private waiting = false;
  /** The delay that a `draining` server advised, in ms; it also holds while that delay runs. */
  private advice?: number;
  /** The deadline of the attempt, or the wait for the next one. */
  private readonly timer: Timer;
  private readonly backoff: Backoff;
  private readonly watchdog: Watchdog;

  constructor(
    private readonly url: string,
    private readonly settings: ClientSettings,
    private readonly choice: TransportChoice,
    private readonly tokens: TokenKeeper,
    private readonly codec: FrameCodec,
    private readonly host: ConnectionHost,
  ) {
    const { platform } = settings;
    this.timer = new Timer(platform);
    this.backoff = new Backoff(settings, platform);
    this.watchdog = new Watchdog(
      platform,
      () => this.send(codec.encode({ type: 'ping' })),
      () => this.fail('no answer'),
    );
  }

  /** Starts, or does not wait any longer. */
  connect(): void {
    if (this.running && !this.waiting) return;
    if (!this.running) this.retries = 0;
    this.running = true;
    this.openNext();
  }

  close(): void {
    this.running = false;
    this.drop(false);
    this.disconnected({ code: NORMAL, reason: 'close() was called' });
  }

  send(text: string): boolean {
    return this.isOpen && this.link!.send(text);
  }

  react(event: EnvironmentEvent): void {
    if (event === 'offline') {
      if (this.link) this.fail('offline');
    } else if (this.waiting && this.advice === undefined) {
      this.backoff.restart();
      this.openNext();
    } else if (this.established) {
      this.watchdog.probe();
    }
  }

  private openNext(): void {
    const epoch = ++this.epoch;
    const { connectTimeout } = this.settings;
    this.waiting = false;
    this.advice = undefined;
    this.timer.set(connectTimeout, () => this.fail(`no answer within ${connectTimeout} ms`));
    this.setState('connecting', { attempt: this.retries });
    if (epoch !== this.epoch) return;
    this.tokens.get().then(
      (token) => epoch === this.epoch && this.openLink(token, epoch),
      (error: RealtimeError) => epoch === this.epoch && this.tokenFailed(error),
    );
  }

  private openLink(token: string | undefined, epoch: number): void {
    const { url, codec } = this;
    const { tokenTransport, WebSocket } = this.settings;
    const isCurrent = (): boolean => epoch === this.epoch;
    try {
      this.link = this.choice.current.open(
        { url, token, tokenTransport, WebSocket, codec },
        {
          open: () => isCurrent() && this.onOpen(),
          frame: (frame) => isCurrent() && this.onFrame(frame),
          close: (close) => isCurrent() && this.ended(close),
        },
      );
    } catch (error) {
      this.fail(String(error));
    }
  }

  private onOpen(): void {
    this.isOpen = true;
    this.watchdog.start({ ...this.settings.heartbeat, interval: FIRST_FRAME_WAIT });
    this.host.opened();
  }

  private onFrame(frame: Frame | undefined): void {
    const { epoch } = this;
    this.watchdog.seen();
    if (!frame) return;
    if (!this.established) this.establish(frame);
    if (epoch !== this.epoch) return;
    if (frame.type === 'draining') {
      this.advice = Number((frame.data as { reconnectAfter?: unknown } | undefined)?.reconnectAfter) || 0;
    }
    this.host.frame(frame);
  }

  /** @param frame `connected`, or whatever came first from a server that does not send it */
  private establish(frame: Frame): void {
    const { heartbeat, connectionId, user, channels } = (frame.type === 'connected' ? frame.data : {}) as Welcome;
    const attempt = this.retries;
    this.established = true;
    this.establishedAt = this.settings.platform.now();
    this.retries = 0;
    this.choice.worked();
    this.timer.clear();
    this.watchdog.start(heartbeat ?? this.settings.heartbeat);
    const transport = this.choice.current.name;
    this.setState('connected', { attempt, transport, connectionId, user, channels: channels ?? [] });
  }

  private tokenFailed(error: RealtimeError): void {
    const close = { code: ABNORMAL, reason: error.message };
    if (error.code === 'unauthorized') return this.stop(error, close);
    this.host.emit('error', error);
    this.ended(close);
  }

  private fail(reason: string): void {
    this.ended({ code: ABNORMAL, reason });
  }

  /** The link has ended, or must. */
  private ended(close: LinkClose): void {
    const { isOpen, established, choice, tokens } = this;
    const { code, status } = close;
    const { maxRetries, platform } = this.settings;
    if (established && platform.now() - this.establishedAt >= STABLE_AFTER) this.backoff.restart();
    this.drop(true);
    this.host.lost();
    // A browser does not tell a refused token from a dead network.
    const mayBeToken = status === 401 || (status === undefined && !isOpen) || code === TOKEN_EXPIRED;
    if (mayBeToken) tokens.invalidate();
    if (!established && code === ABNORMAL && status !== 401 && choice.fallBack()) return this.openNext();
    choice.restart();

    const isSpent = maxRetries > 0 && this.retries >= maxRetries;
    const isRefused = status === 403 || (status === 401 && !tokens.isRenewable);
    const error = connectionError(close, isSpent ? `Gave up after ${maxRetries} reconnections. ` : '');
    if (isRefused || isSpent || isFinalCloseCode(code)) this.stop(error, close);
    else this.wait(error, close);
  }

  private wait(error: RealtimeError, close: LinkClose): void {
    const delay = this.advice ?? this.backoff.next();
    this.waiting = true;
    this.retries++;
    this.timer.set(delay, () => this.openNext());
    this.disconnected(close, error, delay);
  }

  private stop(error: RealtimeError, close: LinkClose): void {
    this.running = false;
    this.drop(true);
    this.backoff.restart();
    this.tokens.invalidate();
    this.host.stopped(error);
    this.disconnected(close, error);
    this.host.emit('error', error);
  }

  private disconnected({ code, reason }: LinkClose, error?: RealtimeError, delay?: number): void {
    this.setState('disconnected', { code, reason, error, delay, willReconnect: delay !== undefined });
  }

  private drop(abruptly: boolean): void {
    const { link } = this;
    this.epoch++;
    this.waiting = this.isOpen = this.established = false;
    this.link = undefined;
    this.timer.clear();
    this.watchdog.stop();
    link?.close(abruptly);
  }

  private setState(...change: StateChange): void {
    const [state] = change;
    if (state === this.state && state !== 'disconnected') return;
    this.state = state;
    this.host.stateChanged(...change);
  }
}

/** The data of `connected`. */
interface Welcome {
  heartbeat?: Heartbeat;
  connectionId?: string;
  user?: unknown;
  channels?: string[];
}

function connectionError({ code, reason, status }: LinkClose, prefix: string): ConnectionError {
  const what = status ? `refused with HTTP ${status}` : `closed with ${code}`;
  return new ConnectionError(errorCode(status, code), `${prefix}The connection was ${what}. ${reason}`, code, status);
}

function errorCode(status: number | undefined, code: number): ErrorCode {
  if (status === 401 || code === UNAUTHORIZED || code === TOKEN_EXPIRED) return 'unauthorized';
  return status === 403 || code === FORBIDDEN ? 'forbidden' : 'unavailable';
}
