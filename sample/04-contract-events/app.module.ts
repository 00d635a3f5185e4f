import { Module } from '@nestjs/common';
import { RealtimeModule, type RealtimeModuleOptions, redisStreamSource } from 'nestjs-realtime';
import { Environment } from '../shared/environment';
import { EnvironmentModule } from '../shared/environment.module';
import { STREAM, toPublications } from './events/contract-event';
import { EventsController } from './events/events.controller';
import { EventsHandshake } from './events/events.handshake';

@Module({
  imports: [
    EnvironmentModule,
    RealtimeModule.forRootAsync({
      isGlobal: true,
      inject: [Environment],
      useFactory: ({ redisUrl }: Environment): RealtimeModuleOptions => ({
        path: '/ws',
        sources: [
          redisStreamSource({
            url: redisUrl,
            key: STREAM,
            channels: ['contract:{id}', 'contract:{id}:{topic}'],
            toPublications,
          }),
        ],
      }),
    }),
  ],
  controllers: [EventsController],
  providers: [EventsHandshake],
})
export class AppModule {}
