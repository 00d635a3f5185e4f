import { clockMicros } from './server-control';

/** What comes over Redis into a process, read there: the hop alone, without sockets to clients. */
export class HopRecorder {
  private received = 0;
  private latencies: number[] = [];

  /** @param message JSON with the time of publication in a field `t` */
  record(message: Buffer): void {
    this.received++;
    const text = message.toString('latin1');
    this.latencies.push(clockMicros() - Number.parseInt(text.slice(text.indexOf('"t":') + 4), 10));
  }

  /** What came since the last time. */
  take(): { received: number; latencies: number[] } {
    const { received, latencies } = this;
    this.received = 0;
    this.latencies = [];
    return { received, latencies };
  }
}
