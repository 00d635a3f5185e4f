import { ClientLimitError } from './client.errors';
import { type Deferred, defer } from './deferred';

/**
 * Reads messages at the consumer's pace, out of a bounded buffer. A consumer that falls too far behind gets what is
 * buffered and then an error: nothing is left out in silence.
 */
export class MessageIterator<T, Source = T> implements AsyncIterableIterator<T, undefined, void> {
  private readonly buffer: T[] = [];
  private readonly waiters: Deferred<IteratorResult<T, undefined>>[] = [];
  private ended = false;
  private error?: Error;

  /**
   * @param capacity how many messages may wait
   * @param read what the consumer gets of a message
   * @param onEnd called once, when nothing more is to be pushed
   */
  constructor(
    private readonly capacity: number,
    private readonly read: (source: Source) => T,
    private readonly onEnd: () => void,
  ) {}

  push(source: Source): void {
    if (this.ended) return;
    const hasRoom = this.waiters.length > 0 || this.buffer.length < this.capacity;
    if (hasRoom) this.buffer.push(this.read(source));
    else this.end(new ClientLimitError('iteratorBuffer', this.capacity));
    this.settle();
  }

  /** No more messages follow. The buffered ones can still be read; `error`, if any, comes after them. */
  end(error?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.onEnd();
    this.settle();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const waiter = defer<IteratorResult<T, undefined>>();
    this.waiters.push(waiter);
    this.settle();
    return waiter.promise;
  }

  /** The consumer has left the loop. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.buffer.length = 0;
    this.end();
    this.error = undefined;
    return this.next();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private settle(): void {
    while (this.waiters.length > 0 && (this.buffer.length > 0 || this.ended)) {
      const { resolve, reject } = this.waiters.shift()!;
      const { error } = this;
      if (this.buffer.length > 0) {
        resolve({ value: this.buffer.shift()!, done: false });
      } else if (error) {
        this.error = undefined;
        reject(error);
      } else {
        resolve({ value: undefined, done: true });
      }
    }
  }
}
