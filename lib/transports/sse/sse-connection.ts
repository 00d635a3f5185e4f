import type { ServerResponse } from 'node:http';
import { assertCloseFrame } from '../../hub/close-frame';
import { Connection, type ConnectionInit } from '../../hub/connection';
import type { Frame } from '../../hub/frame';
import type { HubCore } from '../../hub/hub-core';
import { Outbox, type OutboxSocket } from '../../hub/outbox';
import { CloseCode } from '../../protocol/close-codes';
import { encodeCursor, type Position } from '../../protocol/cursor';
import type { OutboundMessage } from '../../protocol/envelope';
import { ErrorCode, type ErrorData } from '../../protocol/errors';
import { encodeEvent, type EventEncoder } from './event-frame';
import { answerRefusal, refusalFor } from './http-answer';
import type { KeptStream } from './keep-alive';
import type { StreamPositions } from './stream-positions';

const COMMENT = Buffer.from(':\n\n');
/** How long a client may take to read what was written before the end, in ms; after it the socket is cut. */
const CLOSE_TIMEOUT = 5_000;
const LOST = 'a channel could not be joined';

/** What a stream is made of. */
export interface StreamParts {
  readonly response: ServerResponse;
  readonly encoder: EventEncoder;
  readonly positions: StreamPositions;
}

/** A connection over a Server-Sent Events stream: it takes frames and has no say. */
export class SseConnection extends Connection implements OutboxSocket, KeptStream {
  private readonly outbox: Outbox;
  private readonly response: ServerResponse;
  private readonly encoder: EventEncoder;
  private readonly positions: StreamPositions;
  private closing = false;
  private onPressed: (() => void) | undefined;
  /** Writes whose bytes the operating system has not all taken. */
  private unwritten = 0;
  /** A position has changed that no event has told yet. */
  private idDue = false;
  /** A channel is missing that the client should come again for. */
  private lost = false;
  nextComment = 0;

  constructor(
    private readonly core: HubCore,
    init: ConnectionInit,
    { response, encoder, positions }: StreamParts,
  ) {
    super(core, init);
    this.response = response;
    this.encoder = encoder;
    this.positions = positions;
    this.outbox = new Outbox(this, core.scheduler, core.settings.limits, core.outboxObserver);
    this.outbox.hold();
    response.on('error', () => undefined);
  }

  get open(): boolean {
    return !this.closing;
  }

  /** Begins the stream: `first`, then what has gathered since the connection began. */
  release(first?: Frame): void {
    if (this.closing) return;
    this.response.writeHead(200);
    this.response.flushHeaders();
    this.outbox.release(first && this.encoder.encode(first, undefined));
    if (this.lost) this.close(CloseCode.StateLost, LOST);
  }

  send(frame: Frame): boolean {
    const { cursor, origin } = frame;
    if (cursor === undefined || origin === undefined) return this.push(frame);
    const before = this.positions.get(origin.channel);
    this.positions.set(origin.channel, cursor);
    const accepted = this.push(frame, true);
    // What was left out has not been sent, and no later id may say so.
    if (!accepted) this.positions.set(origin.channel, before);
    return accepted;
  }

  override sendMessage(message: OutboundMessage): boolean {
    const { type, channel } = message;
    if (type === 'draining') return this.advise(message);
    if (channel !== undefined && (type === 'subscribed' || type === 'reset')) this.moveTo(channel, message.cursor);
    const accepted = super.sendMessage(message);
    if (channel !== undefined) this.endIfLost(message);
    return accepted;
  }

  override continueAt(channel: string, position: Position): void {
    this.moveTo(channel, encodeCursor(position));
  }

  close(code: number = CloseCode.Normal, reason = ''): void {
    if (this.closing) return;
    assertCloseFrame(code, reason);
    this.outbox.flush();
    this.closing = true;
    this.outbox.close();
    if (this.response.headersSent) this.end(code, reason);
    else answerRefusal(this.response, refusalFor(code, reason));
    this.core.lifecycle.end(this, { code, reason });
  }

  /** Cuts a stream whose end the client does not read. */
  terminate(): void {
    this.response.destroy();
  }

  write(bytes: Buffer): boolean {
    const { response } = this;
    if (response.destroyed || response.writableEnded) return true;
    this.unwritten++;
    response.write(bytes, this.onWritten);
    // Node would wait for the end of the turn, which is now.
    if (response.req.httpVersionMajor === 1 && response.socket !== null && response.socket.writableCorked > 0) {
      response.socket.uncork();
    }
    return response.writableLength === 0;
  }

  overflow(): void {
    if (this.closing) return;
    this.core.stats.evicted++;
    this.close(CloseCode.SlowConsumer, 'slow consumer');
  }

  /** Keeps proxies from ending a silent stream. */
  comment(): void {
    if (this.open && this.outbox.writable) this.write(COMMENT);
  }

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

  private push(frame: Frame, withId = this.idDue): boolean {
    const accepted = this.outbox.push(this.encoder.encode(frame, withId ? this.positions.id : undefined));
    if (accepted && withId) this.idDue = false;
    return accepted;
  }

  private moveTo(channel: string, cursor: string | undefined): void {
    this.positions.set(channel, cursor);
    this.idDue = true;
  }

  /** With the delay as `EventSource` understands it, beside the frame. */
  private advise(message: OutboundMessage): boolean {
    const { reconnectAfter } = message.data as { reconnectAfter: number };
    const accepted = super.sendMessage(message);
    this.outbox.flush();
    if (this.response.headersSent && this.outbox.writable) this.write(Buffer.from(`retry: ${reconnectAfter}\n\n`));
    return accepted;
  }

  /** A client cannot subscribe again on a stream: where that would help, it has to come again. */
  private endIfLost({ type, data }: OutboundMessage): void {
    const code = (data as { code?: unknown } | undefined)?.code;
    const lost = type === 'unsubscribed' && code === CloseCode.StateLost;
    const unavailable = type === 'error' && (data as ErrorData).code === ErrorCode.Unavailable;
    if (!lost && !unavailable) return;
    this.lost = true;
    // Told in a stream: a browser takes a refusal for an answer, and does not come again.
    if (this.response.headersSent) this.close(CloseCode.StateLost, LOST);
  }

  /** The last event says why there are no more. */
  private end(code: number, reason: string): void {
    const frame = this.core.encode({ type: 'disconnected', data: { code, reason } });
    this.response.end(encodeEvent(frame.payload));
    const cut = setTimeout(() => this.terminate(), CLOSE_TIMEOUT).unref();
    this.response.once('close', () => clearTimeout(cut));
  }

  /** The response has closed, by whomever. */
  closed(): void {
    this.closing = true;
    this.outbox.close();
    this.core.lifecycle.end(this, { code: ABNORMAL, reason: '' });
  }

  private readonly onWritten = (): void => {
    this.unwritten--;
    if (this.unwritten === 0 && this.outbox.blockedSince !== 0) this.outbox.drained();
  };
}

/** As for a WebSocket that went without a close frame: HTTP has none. */
const ABNORMAL = 1006;
