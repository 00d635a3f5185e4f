type Listener = (...args: unknown[]) => void;

/** Listeners by event; each event's arguments are a tuple (or a union of tuples). */
export class Emitter<Events extends { [E in keyof Events]: unknown[] }> {
  private readonly listeners = new Map<keyof Events, Set<Listener>>();

  /**
   * Adds a listener. Adding the same one twice adds it once.
   *
   * @returns removes the listener
   * @publicApi
   */
  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): () => void;
  // Where the arguments are a union of tuples, the first form does not take a listener that leaves some out.
  on<E extends keyof Events>(event: E, listener: (first: Events[E][0]) => void): () => void;
  on<E extends keyof Events>(event: E, listener: unknown): () => void {
    const listeners = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, listeners.add(listener as Listener));
    return () => this.off(event, listener as Listener);
  }

  /** Removes a listener. @publicApi */
  off<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): void;
  off<E extends keyof Events>(event: E, listener: (first: Events[E][0]) => void): void;
  off<E extends keyof Events>(event: E, listener: unknown): void {
    this.listeners.get(event)?.delete(listener as Listener);
  }

  protected emit<E extends keyof Events>(event: E, ...args: Events[E]): void {
    const listeners = this.listeners.get(event);
    if (!listeners) return;
    // A copy: what a listener adds waits for the next event, and what it removes is not called any more.
    for (const listener of Array.from(listeners)) {
      try {
        if (listeners.has(listener)) listener(...args);
      } catch (error) {
        // An application's mistake must neither stop the other listeners nor stay unseen.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
