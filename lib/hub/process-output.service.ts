import { Injectable } from '@nestjs/common';
import { HubService } from './hub.service';
import type { PublishResult } from './publish.types';

/**
 * Streams the output of processes (builds, jobs) to whoever watches `process:<id>`. The names on the wire are those of
 * the hub library that this module is a counterpart of: `process_output` and `process_status`.
 *
 * It declares no channel, since output may hold anything: a pattern in the module's `channels`, such as `process:{id}`, or an
 * `@OnSubscribe` handler says that clients may watch, and who.
 *
 * @example
 * child.stdout.on('data', (line) => void output.output('build-42', String(line)));
 * child.on('exit', (code) => void output.status('build-42', 'exited', code ?? undefined));
 *
 * @publicApi
 */
@Injectable()
export class ProcessOutputService {
  constructor(private readonly hub: HubService) {}

  /** The channel of a process. */
  static channel(processId: string): string {
    return `process:${processId}`;
  }

  /** Publishes one line (or chunk) of output as `process_output`. @throws InvalidChannelError, HubClosedError */
  output(processId: string, line: string): Promise<PublishResult> {
    return this.hub.publish(ProcessOutputService.channel(processId), line, { type: 'process_output' });
  }

  /**
   * Publishes a change of status as `process_status`.
   *
   * @param status a word such as `running` or `exited`
   * @param exitCode the exit code, once there is one
   */
  status(processId: string, status: string, exitCode?: number): Promise<PublishResult> {
    return this.hub.publish(
      ProcessOutputService.channel(processId),
      { status, exitCode },
      { type: 'process_status' },
    );
  }
}
