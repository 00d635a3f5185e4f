import { RealtimeError } from '../protocol/errors';
import { ClientLimitError, UnansweredError } from './client.errors';
import type { ClientSettings } from './client.options';
import type { Frame, FrameCodec, OutgoingFrame } from './frame';
import type { ReplyRegistry } from './reply-registry';
import { Timer } from './timer';

/** The server remembers an idempotency key for 5 minutes; a repeat must arrive well within. */
const REPEATABLE_FOR = 4.5 * 60_000;
/** Messages sent and not yet answered. */
const MOST_IN_FLIGHT = 10_000;

/** What the outbox sends through. */
export interface OutboxHost {
  /** Whether a link is open. */
  readonly isOpen: boolean;
  /** A correlation id that no other message of the client has. */
  nextId(): number;
  send(text: string): boolean;
  /** Whether messages on the channel must wait for its subscription. */
  isHeld(channel: string): boolean;
}

interface Entry {
  readonly id: number;
  readonly channel?: string;
  readonly text: string;
  readonly timeout: number;
  /** May be sent again when the outcome is unknown. */
  readonly isRepeatable: boolean;
  /** When waiting for a connection ends. */
  expiresAt: number;
  wasSent: boolean;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: RealtimeError) => void;
}

/** Publications and requests: sent in order, kept while there is no connection, each settled exactly once. */
export class Outbox {
  /** In the order in which they were made. */
  private queued: Entry[] = [];
  private readonly expiry: Timer;

  constructor(
    private readonly settings: ClientSettings,
    private readonly frames: FrameCodec,
    private readonly replies: ReplyRegistry,
    private readonly host: OutboxHost,
  ) {
    this.expiry = new Timer(settings.platform);
  }

  /** Resolves with the answer. */
  send(message: OutgoingFrame, isRepeatable: boolean, timeout = this.settings.timeout): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const { settings, host } = this;
      const { offlineQueue, platform } = settings;
      const id = host.nextId();
      const text = this.encode({ ...message, id });
      // An open link takes what comes, but for channels that wait for their subscription.
      if (this.queued.length >= Math.max(offlineQueue.size, Number(host.isOpen))) {
        throw new ClientLimitError('offlineQueue.size', offlineQueue.size);
      }
      if (this.replies.size >= MOST_IN_FLIGHT) throw new ClientLimitError('in flight', MOST_IN_FLIGHT);
      const expiresAt = platform.now() + offlineQueue.maxAge;
      const { channel } = message;
      this.queued.push({ id, channel, text, timeout, isRepeatable, expiresAt, wasSent: false, resolve, reject });
      this.flush();
    });
  }

  /** Sends what can be sent now. */
  flush(): void {
    if (this.queued.length === 0) return;
    if (this.host.isOpen) this.queued = this.queued.filter((entry) => !this.transmit(entry));
    this.armExpiry();
  }

  /** The link is gone, and the registry has given back what was in flight. */
  lost(): void {
    this.queued.sort((a, b) => a.id - b.id);
    this.armExpiry();
  }

  /** Rejects everything that waits. */
  fail(error: RealtimeError): void {
    for (const entry of this.queued.splice(0)) entry.reject(error);
    this.expiry.clear();
  }

  private encode(message: OutgoingFrame): string {
    const limit = this.settings.maxMessageBytes;
    const text = this.frames.encode(message);
    // A UTF-16 unit is at most three bytes of UTF-8: short texts need not be measured.
    const isTooBig = text.length * 3 > limit && new TextEncoder().encode(text).length > limit;
    if (isTooBig) throw new ClientLimitError('maxMessageBytes', limit);
    return text;
  }

  /** @returns whether it left the queue */
  private transmit(entry: Entry): boolean {
    const { id, channel, text, timeout, isRepeatable, reject } = entry;
    if (channel !== undefined && this.host.isHeld(channel)) return false;
    if (!this.host.send(text)) return false;
    if (!entry.wasSent) entry.expiresAt = Math.min(entry.expiresAt, this.settings.platform.now() + REPEATABLE_FOR);
    entry.wasSent = true;
    this.replies.expect(id, timeout, (error, frame) => {
      const wasLost = error instanceof UnansweredError && error.reason === 'lost';
      if (frame) entry.resolve(frame);
      else if (isRepeatable && wasLost) this.queued.push(entry);
      else reject(error!);
    });
    return true;
  }

  private armExpiry(): void {
    this.expiry.clear();
    if (this.queued.length === 0) return;
    const { platform } = this.settings;
    const next = Math.min(...this.queued.map(({ expiresAt }) => expiresAt));
    this.expiry.set(next - platform.now(), () => {
      const now = platform.now();
      this.queued = this.queued.filter(({ expiresAt, wasSent, reject }) => {
        if (expiresAt <= now) reject(new UnansweredError('expired', wasSent));
        return expiresAt > now;
      });
      this.armExpiry();
    });
  }
}
