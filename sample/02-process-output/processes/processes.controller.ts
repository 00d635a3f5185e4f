import { Body, Controller, Delete, Get, HttpCode, NotFoundException, Param, Post, ValidationPipe } from '@nestjs/common';
import { HubService } from 'nestjs-realtime';
import { JOBS } from './jobs';
import type { ProcessInfo } from './process-info';
import { ProcessRunner } from './process-runner';
import { StartProcessDto } from './start-process.dto';

@Controller('api')
export class ProcessesController {
  constructor(
    private readonly runner: ProcessRunner,
    private readonly hub: HubService,
  ) {}

  @Get('jobs')
  jobs(): { name: string; title: string; description: string }[] {
    return Object.entries(JOBS).map(([name, { title, description }]) => ({ name, title, description }));
  }

  @Get('processes')
  list(): ProcessInfo[] {
    return this.runner.list();
  }

  /** Everybody's list of processes is told at once, by a broadcast. */
  @Post('processes')
  async start(@Body(new ValidationPipe()) { job }: StartProcessDto): Promise<ProcessInfo> {
    const process = this.runner.start(job);
    await this.hub.broadcast('process:started', process);
    return process;
  }

  @Delete('processes/:id')
  @HttpCode(204)
  stop(@Param('id') id: string): void {
    if (!this.runner.stop(id)) throw new NotFoundException(`There is no running process ${id}`);
  }
}
