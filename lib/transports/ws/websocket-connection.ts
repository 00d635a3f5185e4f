import type { Socket } from 'node:net';
import { assertCloseFrame } from '../../hub/close-frame';
import type { CompressionSettings } from '../../hub/compression';
import { Connection, type ConnectionInit } from '../../hub/connection';
import type { Frame } from '../../hub/frame';
import type { HubCore } from '../../hub/hub-core';
import { Outbox, type OutboxSocket } from '../../hub/outbox';
import { CloseCode } from '../../protocol/close-codes';

/** The part of `ws`'s WebSocket that a connection needs. Named here, so that users need no types of `ws`. */
export interface ServerWebSocket {
  /** The extensions that were agreed on. */
  readonly extensions: string;
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
}

const EMPTY = Buffer.alloc(0);
/** A ping frame without a payload (RFC 6455, section 5.5.2). */
const PING = Buffer.from([0x89, 0x00]);
/** First byte of a pong frame. */
const PONG = 0x8a;
/** Bytes that the socket may hold when a pong is added to them. */
const PONG_ROOM = 16_384;

/**
 * A connection over a WebSocket. `ws` parses what comes in and does the closing handshake; publications go out past it,
 * as ready frames written to the socket by the outbox.
 */
export class WebSocketConnection extends Connection implements OutboxSocket {
  private readonly outbox: Outbox;
  private closing = false;
  private onPressed: (() => void) | undefined;
  /** For the heartbeat. */
  lastPong = performance.now();
  nextPing = 0;
  /** The payload of the latest ping, when it is not answered yet. */
  private unanswered: Buffer | undefined;

  constructor(
    private readonly core: HubCore,
    init: ConnectionInit,
    readonly webSocket: ServerWebSocket,
    private readonly socket: Socket,
    compression?: CompressionSettings,
  ) {
    super(core, init);
    this.outbox = new Outbox(
      this,
      core.scheduler,
      core.settings.limits,
      core.outboxObserver,
      sharesDeflate(webSocket.extensions) ? compression : undefined,
    );
    this.outbox.hold();
  }

  get open(): boolean {
    return !this.closing;
  }

  /** Lets frames out: `first`, then what has gathered since the connection began. */
  release(first?: Frame): void {
    this.outbox.release(first);
  }

  send(frame: Frame): boolean {
    return this.outbox.push(frame);
  }

  close(code: number = CloseCode.Normal, reason = ''): void {
    if (this.closing) return;
    assertCloseFrame(code, reason);
    this.closing = true;
    this.outbox.flush();
    this.outbox.close();
    if (this.webSocket.isPaused) this.webSocket.resume();
    this.webSocket.close(code, reason);
    this.core.lifecycle.end(this, { code, reason });
  }

  /** The socket has closed, by whomever. */
  closed(code: number, reason: string): void {
    this.closing = true;
    this.outbox.close();
    this.core.lifecycle.end(this, { code, reason });
  }

  /** Writes a ping past the queue: a client that is behind is still alive. */
  ping(): void {
    if (this.open && this.socket.writable) this.socket.write(PING);
  }

  /**
   * Answers a ping, past the queue too. While the client does not read, pongs do not pile up: it gets the one for its latest
   * ping once it has caught up (RFC 6455, section 5.5.3).
   */
  pong(payload: Buffer): void {
    const { socket } = this;
    if (!this.open || !socket.writable) return;
    if (socket.writableLength <= PONG_ROOM) {
      socket.write(Buffer.concat([Buffer.of(PONG, payload.length), payload]));
      return;
    }
    if (this.unanswered === undefined) socket.write(EMPTY, () => this.answerLatest());
    this.unanswered = payload;
  }

  write(bytes: Buffer): boolean {
    const { socket } = this;
    if (!socket.writable) return true;
    socket.write(bytes);
    if (socket.writableCorked > 0) socket.uncork();
    if (socket.writableLength === 0) return true;
    // Asked only now, so that a socket that keeps up pays for no callback: an empty write is done when all before it is.
    socket.write(EMPTY, () => this.outbox.drained());
    return false;
  }

  overflow(): void {
    if (this.closing) return;
    this.core.stats.evicted++;
    this.close(CloseCode.SlowConsumer, 'slow consumer');
  }

  private answerLatest(): void {
    const payload = this.unanswered;
    this.unanswered = undefined;
    if (payload !== undefined) this.pong(payload);
  }

  /** When the write under way began to wait; 0 while the client keeps up. */
  get blockedSince(): number {
    return this.outbox.blockedSince;
  }

  override get writable(): boolean {
    return this.outbox.writable;
  }

  hasRoomFor(frames: number): boolean {
    return this.outbox.hasRoomFor(frames);
  }

  caughtUp(): Promise<void> {
    this.outbox.flush();
    return this.whenWritable();
  }

  /** Resolves when somebody waits for room in the queue, which there cannot be before it is released. */
  pressed(): Promise<void> {
    return new Promise((resolve) => (this.onPressed = resolve));
  }

  override whenWritable(): Promise<void> {
    this.onPressed?.();
    return this.outbox.whenWritable();
  }

  override pauseReading(): void {
    if (this.open) this.webSocket.pause();
  }

  override resumeReading(): void {
    if (this.webSocket.isPaused && this.open) {
      // The pongs were waiting with the messages.
      this.lastPong = performance.now();
      this.webSocket.resume();
    }
  }
}

/** A client that asked for a smaller window than the shared frames are made with gets them uncompressed, which it must take. */
function sharesDeflate(extensions: string): boolean {
  return extensions.includes('permessage-deflate') && !extensions.includes('server_max_window_bits');
}
