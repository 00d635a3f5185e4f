import { Injectable, NotFoundException } from '@nestjs/common';
import { ChannelParam, OnSubscribe } from 'nestjs-realtime';
import type { ProcessInfo } from './process-info';
import { ProcessRunner } from './process-runner';

/** Who may watch a process: here everybody, as long as there is one. */
@Injectable()
export class ProcessChannel {
  constructor(private readonly runner: ProcessRunner) {}

  @OnSubscribe('process:{id}')
  watch(@ChannelParam('id') id: string): ProcessInfo {
    const process = this.runner.find(id);
    if (!process) throw new NotFoundException(`There is no process ${id}`);
    return process;
  }
}
