import { Logger } from '@nestjs/common';
import type { Position } from '../../../protocol/cursor';
import { AdapterUnavailableError } from '../../adapter.errors';
import type { AdapterReceiver, HistorySettings, ReadResult } from '../../hub-adapter';
import type { RedisHistory } from '../history/redis-history';
import type { WireMessage } from '../wire-envelope';
import type { Interest } from './interest';
import { LiveChannel } from './live-channel';

/** Channels that are caught up at the same time; the others wait, so that live publications are not held up. */
const AT_ONCE = 32;
/** How often a read is repeated that was overtaken; each time needs another race. */
const MAX_READS = 5;
const OUT_OF_STEP = 'what Redis answers and what it delivers are of different states, as during a fail-over';

/** Figures of what could not be delivered as it came. */
export interface LiveFigures {
  caughtUp: number;
  continuityLost: number;
}

/** The channels with history that this instance follows. */
export class LiveChannels {
  readonly figures: LiveFigures = { caughtUp: 0, continuityLost: 0 };
  private readonly logger = new Logger('RedisAdapter');
  private readonly queue = new Set<Interest>();
  private running = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly history: RedisHistory,
    private readonly receiver: AdapterReceiver,
    /** Everything that is listened to. */
    private readonly interests: () => Iterable<Interest>,
  ) {}

  /** Looks at idle channels now and then: the loss of a channel's last publication shows by nothing that follows it. */
  start(checkInterval: number): void {
    this.timer = setInterval(() => this.check(), checkInterval).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.queue.clear();
  }

  onPublication(interest: Interest, message: WireMessage, position: Position): void {
    const { payload, exclude, previousTag = '', link } = message;
    this.liveOf(interest).onPublication({ position, previousTag, payload, exclude, link });
  }

  /**
   * Joins a read with what is delivered live: when it resolves, everything up to the read's position has been delivered,
   * so that whoever reads can go on from there.
   *
   * @throws AdapterUnavailableError when read after read does not fit what is delivered
   */
  async join(interest: Interest | undefined, settings: HistorySettings, read: () => Promise<ReadResult>): Promise<ReadResult> {
    for (let reads = 1; ; reads++) {
      const since = interest?.live?.position;
      const result = await read();
      if (interest === undefined || !interest.wanted) return result;
      if (await this.liveOf(interest).reach(result.position, settings, since)) return result;
      if (reads === MAX_READS) throw new AdapterUnavailableError('Reading a history', 'not_sent', OUT_OF_STEP);
    }
  }

  /** Redis delivers these again: what was missed meanwhile is fetched. */
  onSubscribed(interests: readonly Interest[]): void {
    for (const interest of interests) this.catchUp(interest);
  }

  /** Redis answers again: what could not be fetched before is fetched now. */
  onReady(): void {
    for (const interest of this.interests()) {
      if (interest.live?.stale) this.catchUp(interest);
    }
  }

  private check(): void {
    for (const interest of this.interests()) {
      const { live } = interest;
      if (live === undefined) continue;
      if (!live.active) live.rest();
      if (!live.active || live.stale) this.catchUp(interest);
      live.active = false;
    }
  }

  private catchUp(interest: Interest): void {
    if (interest.live === undefined) return;
    this.queue.add(interest);
    while (this.running < AT_ONCE && this.queue.size > 0) {
      this.running++;
      void this.work();
    }
  }

  private async work(): Promise<void> {
    for (const interest of this.queue) {
      this.queue.delete(interest);
      // One that fails stays stale, and is tried again when Redis is back, or at the next check.
      await interest.live?.catchUp().catch(() => undefined);
    }
    this.running--;
  }

  private liveOf(interest: Interest): LiveChannel {
    interest.live ??= new LiveChannel({
      readAfter: async (position, settings) => {
        const stored = await this.history.after(interest.name, position, settings);
        if (stored.entries.length > 0) this.figures.caughtUp += stored.entries.length;
        return stored;
      },
      deliver: ({ payload, position, exclude }) => {
        if (interest.wanted) this.receiver.onPublication(interest.name, payload, position, exclude);
      },
      onContinuityLost: (position) => {
        this.figures.continuityLost++;
        this.logger.warn(`Publications of ${interest.name} may have been lost: its history does not continue what came before`);
        if (interest.wanted) this.receiver.onContinuityLost(interest.name, position);
      },
    });
    return interest.live;
  }
}
