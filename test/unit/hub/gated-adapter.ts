import type { AdapterReceiver, HubAdapter } from '../../../lib/adapter/hub-adapter';
import { createMemoryAdapter } from './hub-kit';

const GATED = ['subscribe', 'append', 'read', 'addMember', 'removeMember', 'claim', 'remember', 'release'] as const;
type Gated = (typeof GATED)[number];

/**
 * The in-memory adapter as if it were far away: an operation takes effect when it is called, its answer comes when it is
 * let through, and publications are delivered in their order when they are let through.
 */
export class GatedAdapter {
  readonly adapter: HubAdapter;
  /** Answers on their way, in the order of the calls. */
  private readonly answers: (() => void)[] = [];
  private readonly deliveries: (() => void)[] = [];
  /** While false, everything goes through at once. */
  closed = false;
  /** Operations that fail. */
  readonly failing = new Set<Gated>();

  constructor() {
    const memory = createMemoryAdapter();
    this.adapter = Object.create(memory) as HubAdapter;
    this.adapter.start = (receiver) => memory.start(this.delayed(receiver));
    for (const name of GATED) {
      const operation = (memory[name] as (...args: unknown[]) => Promise<unknown>).bind(memory);
      const gated = (...args: unknown[]): Promise<unknown> => {
        if (this.failing.has(name)) return Promise.reject(new Error(`${name} failed`));
        return this.later(operation(...args));
      };
      Object.assign(this.adapter, { [name]: gated });
    }
  }

  get waitingAnswers(): number {
    return this.answers.length;
  }

  /** Lets one answer through. */
  answer(pick = 0): void {
    if (this.answers.length > 0) this.answers.splice(pick % this.answers.length, 1)[0]!();
  }

  /** Delivers the next publications. */
  deliver(count: number): void {
    for (const run of this.deliveries.splice(0, count)) run();
  }

  /** Lets through what waits. @returns whether there was something */
  letAllThrough(): boolean {
    const waited = this.answers.length + this.deliveries.length > 0;
    this.deliver(Infinity);
    for (const run of this.answers.splice(0)) run();
    return waited;
  }

  private async later<T>(result: Promise<T>): Promise<T> {
    if (this.closed) await new Promise<void>((resolve) => this.answers.push(resolve));
    return result;
  }

  private delayed(receiver: AdapterReceiver): AdapterReceiver {
    return Object.assign(Object.create(receiver) as AdapterReceiver, {
      onPublication: (...args: Parameters<AdapterReceiver['onPublication']>) => {
        if (this.closed) this.deliveries.push(() => receiver.onPublication(...args));
        else receiver.onPublication(...args);
      },
    });
  }
}
