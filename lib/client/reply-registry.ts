import type { RealtimeError } from '../protocol/errors';
import { UnansweredError, errorOfFrame } from './client.errors';
import type { Frame } from './frame';
import type { Platform } from './platform';
import { Timer } from './timer';

/** What became of a sent message: an error, or the frame that answered it. */
export type Settle = (error: RealtimeError | undefined, frame?: Frame) => void;

/**
 * Messages of the current link that await their answer. Callbacks, not promises: what follows an answer on the wire may
 * be handled in the same turn, and must find the answer handled.
 */
export class ReplyRegistry {
  private readonly waiting = new Map<unknown, Settle>();

  constructor(private readonly clock: Platform) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Awaits the answer to `id` for `timeout` ms. `settle` is called once. */
  expect(id: number, timeout: number, settle: Settle): void {
    const timer = new Timer(this.clock);
    this.waiting.set(id, (error, frame) => {
      this.waiting.delete(id);
      timer.clear();
      settle(error, frame);
    });
    timer.set(timeout, () => this.waiting.get(id)!(new UnansweredError('timeout', true)));
  }

  answer(frame: Frame): void {
    const settle = this.waiting.get(frame.id);
    if (frame.type === 'error') settle?.(errorOfFrame(frame));
    else settle?.(undefined, frame);
  }

  /** Nothing will be answered any more. */
  fail(error: RealtimeError): void {
    for (const settle of this.waiting.values()) settle(error);
  }
}
