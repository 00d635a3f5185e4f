import { RecordingConnection } from './hub-kit';

/** A connection that can be behind. */
export class StallingConnection extends RecordingConnection {
  private stalled: (() => void)[] | undefined;

  override get writable(): boolean {
    return this.stalled === undefined;
  }

  override whenWritable(): Promise<void> {
    return this.stalled === undefined ? Promise.resolve() : new Promise((resolve) => this.stalled!.push(resolve));
  }

  stall(): void {
    this.stalled ??= [];
  }

  catchUp(): void {
    const waiting = this.stalled ?? [];
    this.stalled = undefined;
    for (const wake of waiting) wake();
  }
}
