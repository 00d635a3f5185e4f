import type { Frame } from './frame';

/**
 * Anything that can take part in a hub's fan-out: a WebSocket or SSE connection, or a class of your own passed to
 * `hub.register()`.
 *
 * @example
 * class Recorder implements Subscriber {
 *   readonly lines: string[] = [];
 *   send(frame: Frame) { this.lines.push(frame.text); return true; }
 *   close() {}
 * }
 *
 * @publicApi
 */
export interface Subscriber {
  /**
   * Takes one frame. Must not block: a subscriber that is behind queues within bounds of its own, or refuses.
   *
   * @returns whether the frame was accepted; false counts as dropped
   */
  send(frame: Frame): boolean;

  /** Ends the subscriber. Idempotent. */
  close(code?: number, reason?: string): void;
}
