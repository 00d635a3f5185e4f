import { Module } from '@nestjs/common';
import { RealtimeModule, type RealtimeModuleOptions } from 'nestjs-realtime';
import { chooseAdapter } from '../shared/choose-adapter';
import { Environment } from '../shared/environment';
import { EnvironmentModule } from '../shared/environment.module';
import { ProcessesModule } from './processes/processes.module';

@Module({
  imports: [
    EnvironmentModule,
    RealtimeModule.forRootAsync({
      isGlobal: true,
      inject: [Environment],
      useFactory: ({ redisUrl }: Environment): RealtimeModuleOptions => ({
        path: '/ws',
        adapter: chooseAdapter(redisUrl),
        // Who comes late reads what was written before.
        channels: { 'process:{id}': { history: { size: 1000, ttl: '1h' } } },
      }),
    }),
    ProcessesModule,
  ],
})
export class AppModule {}
