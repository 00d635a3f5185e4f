/** How long catching up may hold the loop in one turn, in ms: live traffic goes on in between. */
const SHARE = 4;

/**
 * Divides long work among the turns of the loop, over all that do some: in each turn it is granted until its share is used
 * up, and what waits is served in order.
 */
export class LoopShare {
  private readonly waiting: (() => void)[] = [];
  /** When the first work of this turn was granted; undefined before. */
  private begun: number | undefined;
  private running = false;

  constructor(private readonly share = SHARE) {}

  /** Before each slice of work. @returns what to wait for, or undefined when it may be done now */
  take(): Promise<void> | undefined {
    if (!this.running && !this.isUsedUp()) return undefined;
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (!this.running) void this.run();
    });
  }

  private isUsedUp(): boolean {
    if (this.begun === undefined) {
      this.begun = performance.now();
      setImmediate(() => (this.begun = undefined));
    }
    return performance.now() - this.begun >= this.share;
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + this.share;
      do {
        this.waiting.shift()!();
        // Whoever was woken works before this goes on.
        await Promise.resolve();
      } while (this.waiting.length > 0 && performance.now() < until);
    }
    this.running = false;
  }
}
