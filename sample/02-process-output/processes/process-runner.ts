import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { HttpException, HttpStatus, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { HubService, ProcessOutputService } from 'nestjs-realtime';
import { samplePath } from '../../shared/paths';
import { JOBS, type JobName } from './jobs';
import type { ProcessInfo, ProcessStatus } from './process-info';

const MAX_RUNNING = 4;
/** Processes that are remembered after their end. */
const MAX_KEPT = 20;
/** Characters of a line; the rest of a longer one is left out. */
const MAX_LINE = 2_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Where a process has got to. */
interface Run {
  readonly info: ProcessInfo;
  readonly child: Child;
  stopping: boolean;
  /** Settles when the process is gone and its last status is out. */
  done: Promise<void>;
}

/** Runs jobs as processes of their own, and publishes what they write, line by line. */
@Injectable()
export class ProcessRunner implements OnModuleDestroy {
  private readonly logger = new Logger(ProcessRunner.name);
  private readonly runs = new Map<string, Run>();

  constructor(
    private readonly output: ProcessOutputService,
    private readonly hub: HubService,
  ) {}

  /** @throws HttpException 429 when as many run as may */
  start(job: JobName): ProcessInfo {
    if (this.running().length >= MAX_RUNNING) {
      throw new HttpException(`${MAX_RUNNING} processes run already: wait for one of them`, HttpStatus.TOO_MANY_REQUESTS);
    }
    const id = randomUUID().slice(0, 8);
    const channel = ProcessOutputService.channel(id);
    const info: ProcessInfo = { id, job, channel, startedAt: new Date().toISOString(), status: 'running' };
    const script = samplePath('02-process-output', 'jobs', JOBS[job].script);
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
    const run: Run = { info, child, stopping: false, done: Promise.resolve() };
    run.done = this.follow(run);
    this.runs.set(id, run);
    this.forgetOldest();
    return info;
  }

  /** The newest first. */
  list(): ProcessInfo[] {
    return [...this.runs.values()].map(({ info }) => info).toReversed();
  }

  find(id: string): ProcessInfo | undefined {
    return this.runs.get(id)?.info;
  }

  /** @returns whether there was a running process to stop */
  stop(id: string): boolean {
    const run = this.runs.get(id);
    if (!run || run.info.status !== 'running') return false;
    run.stopping = true;
    return run.child.kill();
  }

  /** While the hub still takes publications, so that who watches learns how it ended. */
  async onModuleDestroy(): Promise<void> {
    const running = this.running();
    for (const { info } of running) this.stop(info.id);
    await Promise.all(running.map(({ done }) => done));
  }

  private running(): Run[] {
    return [...this.runs.values()].filter(({ info }) => info.status === 'running');
  }

  /** Never rejects. */
  private async follow(run: Run): Promise<void> {
    const { info, child } = run;
    try {
      const closed = once(child, 'close') as Promise<[code: number | null]>;
      await Promise.all([this.publishLines(info.id, child.stdout), this.publishLines(info.id, child.stderr)]);
      const [code] = await closed;
      await this.end(info, run.stopping ? 'stopped' : 'exited', code ?? undefined);
    } catch (error) {
      this.logger.error(`Process ${info.id} was lost`, error instanceof Error ? error.stack : String(error));
      child.kill();
      await this.end(info, 'failed').catch(() => undefined);
    }
  }

  /** A line is published before the next is read: who writes faster than that waits, and the order is kept. */
  private async publishLines(id: string, stream: Readable): Promise<void> {
    for await (const line of createInterface({ input: stream })) {
      await this.output.output(id, line.slice(0, MAX_LINE));
    }
  }

  private async end(info: ProcessInfo, status: ProcessStatus, exitCode?: number): Promise<void> {
    info.status = status;
    info.exitCode = exitCode;
    await this.output.status(info.id, status, exitCode);
    await this.hub.broadcast('process:ended', info);
  }

  private forgetOldest(): void {
    for (const [id, { info }] of this.runs) {
      if (this.runs.size <= MAX_KEPT) return;
      if (info.status !== 'running') this.runs.delete(id);
    }
  }
}
