/** What keeps streams alive, and when a stalled one is given up. In ms. */
export interface KeepAliveSettings {
  /** Between two comments on a stream. */
  readonly interval: number;
  /** With a write waiting for so long, a connection is closed. */
  readonly writeTimeout: number;
}

/** A stream, as far as it is kept alive. */
export interface KeptStream {
  /** When its next comment is due, on the clock of `performance.now()`. */
  nextComment: number;
  /** When the write under way began to wait; 0 while the client keeps up. */
  readonly blockedSince: number;
  comment(): void;
  overflow(): void;
}

/** Writes comments to idle proxies' liking, and ends streams that take nothing any more. One timer sweeps them all. */
export class KeepAlive {
  private readonly members = new Set<KeptStream>();
  private readonly period: number;
  private timer: NodeJS.Timeout | undefined;
  private sweptAt = 0;

  constructor(private readonly settings: KeepAliveSettings) {
    this.period = Math.min(1000, Math.max(5, Math.min(settings.interval, settings.writeTimeout) / 8));
  }

  add(stream: KeptStream): void {
    const now = performance.now();
    // A little early and at random: streams that came back together do not stay together.
    stream.nextComment = now + this.settings.interval * (1 - Math.random() / 4);
    this.members.add(stream);
    if (this.timer) return;
    this.sweptAt = now;
    this.timer = setInterval(() => this.sweep(), this.period).unref();
  }

  remove(stream: KeptStream): void {
    this.members.delete(stream);
    if (this.members.size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(): void {
    const now = performance.now();
    // While the process stood still, nothing could be written either.
    const standstill = Math.max(0, now - this.sweptAt - 2 * this.period);
    this.sweptAt = now;
    for (const stream of this.members) this.examine(stream, now, standstill);
  }

  private examine(stream: KeptStream, now: number, standstill: number): void {
    const { interval, writeTimeout } = this.settings;
    if (stream.blockedSince !== 0) {
      if (now - stream.blockedSince - standstill > writeTimeout) stream.overflow();
      return;
    }
    if (now < stream.nextComment) return;
    stream.nextComment = now + interval;
    stream.comment();
  }
}
