import type { JobName } from './jobs';

export type ProcessStatus = 'running' | 'exited' | 'stopped' | 'failed';

/** A process as the API shows it. */
export interface ProcessInfo {
  readonly id: string;
  readonly job: JobName;
  /** Where its output is published. */
  readonly channel: string;
  readonly startedAt: string;
  status: ProcessStatus;
  /** Once it has exited by itself. */
  exitCode?: number;
}
