import { EventEmitter, once } from 'node:events';
import { InstanceProcess } from './instance-process';

/** All instances, and whose turn it is. */
export class Instances {
  readonly all: readonly InstanceProcess[];
  private readonly changes = new EventEmitter();
  private readonly turns = { request: 0, socket: 0 };

  constructor(count: number, redisUrl: string) {
    const changed = (): void => void this.changes.emit('change');
    this.all = Array.from({ length: count }, (_, i) => new InstanceProcess(i + 1, redisUrl, changed));
  }

  /** Resolves when all of them listen. @throws Error when one ends instead */
  async start(): Promise<void> {
    for (const instance of this.all) instance.start();
    while (!this.all.every(({ state }) => state === 'up')) {
      await once(this.changes, 'change');
      const failed = this.all.find(({ state }) => state === 'down');
      if (failed) throw new Error(`Instance ${failed.id} did not start: what it said is above.`);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((instance) => instance.stop()));
  }

  find(id: number): InstanceProcess | undefined {
    return this.all.find((instance) => instance.id === id);
  }

  /**
   * Those that are up, the one whose turn it is first: the others are for when it does not answer.
   *
   * @param kind sockets have turns of their own, so that a page's files do not decide where its connection lands
   */
  inTurn(kind: 'request' | 'socket'): InstanceProcess[] {
    const first = this.turns[kind]++ % this.all.length;
    const ordered = [...this.all.slice(first), ...this.all.slice(0, first)];
    return ordered.filter(({ state }) => state === 'up');
  }
}
