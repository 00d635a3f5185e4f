import type { Instance } from './instance';
import type { Random } from './random';
import type { PublishRecord } from './recording';

const TICK = 20;

/** Publishes at a steady rate on any instance that is up, and writes down what it is told. */
export class Publisher {
  readonly records: PublishRecord[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private timer: NodeJS.Timeout | undefined;
  private clock = 0;
  private count = 0;

  constructor(
    private readonly instances: readonly Instance[],
    private readonly channels: readonly string[],
    private readonly random: Random,
  ) {}

  start(perSecond: number): void {
    const startedAt = Date.now();
    let due = 0;
    this.timer = setInterval(() => {
      for (const until = ((Date.now() - startedAt) / 1000) * perSecond; due < until; due++) {
        const publishing = this.publish(this.random.pick(this.channels));
        this.underWay.add(publishing);
        void publishing.then(() => this.underWay.delete(publishing));
      }
    }, TICK);
  }

  /** Waits for every answer that is still out. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
  }

  /** Publishes until it is accepted. */
  async insist(channel: string): Promise<void> {
    while ((await this.publish(channel)).outcome !== 'accepted') await new Promise((resolve) => setTimeout(resolve, TICK));
  }

  private async publish(channel: string): Promise<PublishRecord> {
    const up = this.instances.filter((instance) => instance.up);
    const instance = this.random.pick(up.length === 0 ? this.instances : up);
    const startedAt = ++this.clock;
    const { id, outcome, cursor } = await instance.publish(channel, `m${++this.count}`);
    const record = { channel, id, outcome, cursor, startedAt, answeredAt: ++this.clock };
    this.records.push(record);
    return record;
  }
}
