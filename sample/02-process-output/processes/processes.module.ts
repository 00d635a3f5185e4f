import { Module } from '@nestjs/common';
import { ProcessChannel } from './process.channel';
import { ProcessRunner } from './process-runner';
import { ProcessesController } from './processes.controller';

@Module({
  controllers: [ProcessesController],
  providers: [ProcessRunner, ProcessChannel],
})
export class ProcessesModule {}
