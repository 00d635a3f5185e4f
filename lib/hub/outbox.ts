import type { Batch, QueuedFrame } from './batch';
import type { CompressionSettings } from './compression';
import type { Flushable, FlushScheduler } from './flush-scheduler';

/** The owner of an outbox: a socket, seen as bytes. */
export interface OutboxSocket {
  /**
   * Writes bytes.
   *
   * @returns true when the operating system took them all; false when some wait, and `Outbox.drained()` will follow
   */
  write(bytes: Buffer): boolean;

  /** A frame found no room and its policy is to disconnect: the outbox asks to be closed. */
  overflow(): void;
}

/** How much may wait for one connection. */
export interface OutboxLimits {
  readonly sendQueueBytes: number;
  readonly sendQueueFrames: number;
}

/** What an outbox reports. One object serves all connections of a hub. */
export interface OutboxObserver {
  onDropped(frames: number): void;
}

/**
 * The bounded queue between a hub and one socket.
 *
 * While the socket keeps up, frames gather in a {@link Batch} and leave in one write at the end of the turn. Once the
 * operating system refuses bytes, nothing more is handed to the socket: frames wait in the backlog, where the limits
 * and the policies for slow consumers apply, until the socket has drained.
 */
export class Outbox implements Flushable {
  private batch: Batch | undefined;
  private backlog: QueuedFrame[] | undefined;
  private backlogBytes = 0;
  /** What the socket holds and has not confirmed. */
  private unsentFrames = 0;
  private unsentBytes = 0;
  private closed = false;
  private held = false;
  /** When the write under way was refused by the operating system; 0 while the socket keeps up. */
  blockedSince = 0;
  private drainWaiters: (() => void)[] | undefined;

  constructor(
    private readonly socket: OutboxSocket,
    private readonly scheduler: FlushScheduler,
    private readonly limits: OutboxLimits,
    private readonly observer: OutboxObserver,
    private readonly compression?: CompressionSettings,
  ) {}

  /**
   * Keeps everything back until {@link release}: the greeting has to be first. The client is not slow meanwhile, however many
   * frames gather; only their bytes are bounded.
   */
  hold(): void {
    this.held = true;
    this.backlog = [];
  }

  /** Ends a hold: `first`, then what has gathered. */
  release(first?: QueuedFrame): void {
    if (first !== undefined) this.backlog?.unshift(first);
    this.drained();
  }

  /** @returns whether the frame was accepted */
  push(frame: QueuedFrame): boolean {
    if (this.closed) return false;
    if (this.backlog !== undefined) return this.pushBehind(this.backlog, frame);

    const batch = (this.batch ?? this.scheduler.root).append(frame);
    if (this.exceeds(batch.count, batch.bytes)) return this.pushAfterFlush(frame);
    if (this.batch === undefined) this.scheduler.schedule(this);
    this.batch = batch;
    return true;
  }

  /** Writes what the turn has gathered. */
  flush(): void {
    const batch = this.batch;
    if (batch === undefined) return;
    this.batch = undefined;
    if (!this.closed) this.write(batch.join(this.compression), batch.count);
  }

  /** The socket has handed everything to the operating system. */
  drained(): void {
    this.unsentBytes = 0;
    this.unsentFrames = 0;
    this.blockedSince = 0;
    this.held = false;
    const backlog = this.backlog;
    this.backlog = undefined;
    this.backlogBytes = 0;
    if (backlog !== undefined && backlog.length > 0 && !this.closed) {
      this.write(Buffer.concat(backlog.map((frame) => frame.encodedFor(this.compression))), backlog.length);
    }
    if (this.backlog === undefined) this.wakeWaiters();
  }

  /** Whether the socket keeps up. */
  get writable(): boolean {
    return this.backlog === undefined;
  }

  /** Resolves when the socket has caught up, or the outbox was closed. For senders that can wait. */
  whenWritable(): Promise<void> {
    if (this.backlog === undefined || this.closed) return Promise.resolve();
    return new Promise((resolve) => (this.drainWaiters ??= []).push(resolve));
  }

  /** Whether so many frames more would find room, and what they hold has room to spare. */
  hasRoomFor(frames: number): boolean {
    return this.queuedFrames + frames <= this.limits.sendQueueFrames && this.queuedBytes <= this.limits.sendQueueBytes / 2;
  }

  /** Frames waiting, those in the socket included. */
  get queuedFrames(): number {
    return (this.batch?.count ?? 0) + (this.backlog?.length ?? 0) + this.unsentFrames;
  }

  /** Bytes waiting, those in the socket included. */
  get queuedBytes(): number {
    return (this.batch?.bytes ?? 0) + this.backlogBytes + this.unsentBytes;
  }

  /** Takes nothing more. What waits is given up. */
  close(): void {
    this.closed = true;
    this.batch = undefined;
    this.backlog = undefined;
    this.backlogBytes = 0;
    this.wakeWaiters();
  }

  /** A burst within one turn is no sign of a slow reader: give the socket the chance to take it before judging. */
  private pushAfterFlush(frame: QueuedFrame): boolean {
    this.flush();
    if (this.backlog !== undefined) return this.pushBehind(this.backlog, frame);
    // The socket is empty-handed, so even a frame larger than the limit may pass alone.
    this.batch = this.scheduler.root.append(frame);
    this.scheduler.schedule(this);
    return true;
  }

  private pushBehind(backlog: QueuedFrame[], frame: QueuedFrame): boolean {
    if (frame.origin?.policy === 'latest') this.dropOlder(backlog, frame.origin.channel);

    const frames = backlog.length + this.unsentFrames + 1;
    const bytes = this.backlogBytes + this.unsentBytes + frame.bytes.length;
    if (this.exceeds(frames, bytes)) {
      this.observer.onDropped(1);
      if (frame.origin?.policy !== 'drop') this.socket.overflow();
      return false;
    }
    backlog.push(frame);
    this.backlogBytes += frame.bytes.length;
    return true;
  }

  private dropOlder(backlog: QueuedFrame[], channel: string): void {
    const index = backlog.findIndex((frame) => frame.origin?.channel === channel && frame.origin.policy === 'latest');
    if (index === -1) return;
    const [older] = backlog.splice(index, 1);
    this.backlogBytes -= older!.bytes.length;
    this.observer.onDropped(1);
  }

  private exceeds(frames: number, bytes: number): boolean {
    const tooMany = frames > this.limits.sendQueueFrames && !this.held;
    return tooMany || (bytes > this.limits.sendQueueBytes && frames > 1);
  }

  private write(bytes: Buffer, frames: number): void {
    if (this.socket.write(bytes)) return;
    this.unsentBytes = bytes.length;
    this.unsentFrames = frames;
    this.blockedSince = performance.now();
    this.backlog = [];
    this.backlogBytes = 0;
  }

  private wakeWaiters(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = undefined;
    waiters?.forEach((wake) => wake());
  }
}
