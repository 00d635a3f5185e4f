import { AdapterUnavailableError, HubBusyError } from '../adapter.errors';
import { Deadlines, type Expiring } from './connection/deadline';

export interface PublishQueueSettings {
  readonly publishTimeout: number;
  readonly queueSize: number;
  readonly queueBytes: number;
  readonly onBusy: ((error: HubBusyError) => void) | undefined;
}

/** Counts what waits for Redis or is on its way, over all queues of an adapter. */
export class QueueBudget {
  waiting = 0;
  waitingBytes = 0;
  refused = 0;

  constructor(readonly settings: PublishQueueSettings) {}

  /** @throws HubBusyError */
  take(operation: string, bytes: number): void {
    const { queueSize, queueBytes, onBusy } = this.settings;
    if (this.waiting >= queueSize || this.waitingBytes + bytes > queueBytes) {
      this.refused++;
      const error = new HubBusyError(operation, this.waiting, this.waitingBytes);
      onBusy?.(error);
      throw error;
    }
    this.waiting++;
    this.waitingBytes += bytes;
  }

  give(bytes: number): void {
    this.waiting--;
    this.waitingBytes -= bytes;
  }
}

/**
 * Does a batch in one command.
 *
 * @param first one of the batch; the others have the same route
 * @param collect takes what is to be sent, at the moment of sending: what has waited too long is left out
 * @param timeout ms
 * @returns a result for each value of the last `collect`; an Error fails that value alone
 */
export type SendBatch<T, R> = (
  first: T,
  collect: () => readonly T[],
  timeout: number,
) => Promise<readonly (R | Error)[]>;

const MAX_BATCH = 128;
const MAX_BATCH_BYTES = 512 * 1024;
/** Batches of one route that may be under way; what comes in meanwhile makes the next ones larger. */
const MAX_UNDER_WAY = 4;

/**
 * Collects publications into batches, one script each, which costs Redis and Node several times less than a command for
 * each. A batch leaves at the end of the turn of the loop; the more Redis has to do, the larger batches become.
 */
export class PublishQueue<T, R> {
  private readonly routes = new Map<string, Route<T, R>>();
  private readonly deadlines = new Deadlines<Item<T, R>>();

  constructor(
    private readonly operation: string,
    private readonly budget: QueueBudget,
    private readonly send: SendBatch<T, R>,
  ) {}

  /**
   * @param route items with the same may go in one script
   * @throws HubBusyError, AdapterUnavailableError
   */
  async add(route: string, value: T, bytes: number): Promise<R> {
    this.budget.take(this.operation, bytes);
    return new Promise<R>((resolve, reject) => {
      const item = new Item<T, R>(this.operation, value, bytes, Date.now() + this.budget.settings.publishTimeout, resolve, reject);
      this.deadlines.add(item);
      this.routeOf(route).push(item);
    });
  }

  /** Fails everything that still waits. */
  close(): void {
    this.deadlines.clear();
    this.routes.clear();
  }

  private routeOf(name: string): Route<T, R> {
    let route = this.routes.get(name);
    if (route === undefined) {
      route = new Route(
        (batch) => this.dispatch(batch),
        () => this.routes.delete(name),
        (item) => this.settle(item),
      );
      this.routes.set(name, route);
    }
    return route;
  }

  private async dispatch(batch: readonly Item<T, R>[]): Promise<void> {
    let sent: readonly Item<T, R>[] = [];
    const collect = (): readonly T[] => {
      sent = batch.filter(({ expired }) => !expired);
      for (const item of sent) item.sent = true;
      return sent.map(({ value }) => value);
    };
    try {
      const results = await this.send(batch[0]!.value, collect, Math.max(1, batch.at(-1)!.deadline - Date.now()));
      for (const [index, item] of sent.entries()) {
        const result = results[index]!;
        if (result instanceof Error) item.reject(result);
        else item.resolve(result);
      }
    } catch (error) {
      for (const item of batch) item.reject(error as Error);
    } finally {
      for (const item of batch) this.settle(item);
    }
  }

  /** The place in the queue is free again. */
  private settle(item: Item<T, R>): void {
    this.deadlines.delete(item);
    this.budget.give(item.bytes);
  }
}

class Item<T, R> implements Expiring {
  sent = false;
  expired = false;

  constructor(
    private readonly operation: string,
    readonly value: T,
    readonly bytes: number,
    readonly deadline: number,
    readonly resolve: (result: R) => void,
    readonly reject: (error: Error) => void,
  ) {}

  expire(): void {
    this.expired = true;
    const outcome = this.sent ? 'unknown' : 'not_sent';
    this.reject(new AdapterUnavailableError(this.operation, outcome, 'Redis did not take it in time'));
  }
}

/** What goes one way: at most a few batches at a time, in order. */
class Route<T, R> {
  private waiting: Item<T, R>[] = [];
  private underWay = 0;
  private scheduled = false;

  constructor(
    private readonly dispatch: (batch: readonly Item<T, R>[]) => Promise<void>,
    private readonly onIdle: () => void,
    private readonly onSkipped: (item: Item<T, R>) => void,
  ) {}

  push(item: Item<T, R>): void {
    this.waiting.push(item);
    if (this.scheduled) return;
    this.scheduled = true;
    // After the promise jobs of this turn, which may publish more.
    process.nextTick(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.underWay < MAX_UNDER_WAY) {
      const batch = this.take();
      if (batch.length === 0) break;
      this.underWay++;
      void this.dispatch(batch).finally(() => {
        this.underWay--;
        this.pump();
      });
    }
    if (this.underWay === 0 && this.waiting.length === 0) this.onIdle();
  }

  private take(): Item<T, R>[] {
    const batch: Item<T, R>[] = [];
    let bytes = 0;
    let taken = 0;
    for (const item of this.waiting) {
      if (batch.length > 0 && (batch.length === MAX_BATCH || bytes + item.bytes > MAX_BATCH_BYTES)) break;
      taken++;
      if (item.expired) {
        this.onSkipped(item);
        continue;
      }
      batch.push(item);
      bytes += item.bytes;
    }
    this.waiting = this.waiting.slice(taken);
    return batch;
  }
}
