/** Lets many wait for the next time that something changes. */
export class Signal {
  private readonly waiting = new Set<() => void>();

  /** Resolves at the next {@link fire}, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.waiting.add(done);
    });
  }

  fire(): void {
    for (const done of this.waiting) done();
  }
}
