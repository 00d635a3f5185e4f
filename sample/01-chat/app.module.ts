import { Module } from '@nestjs/common';
import { RealtimeModule, type RealtimeModuleOptions } from 'nestjs-realtime';
import { chooseAdapter } from '../shared/choose-adapter';
import { Environment } from '../shared/environment';
import { EnvironmentModule } from '../shared/environment.module';
import { ChatModule } from './chat/chat.module';

@Module({
  imports: [
    EnvironmentModule,
    RealtimeModule.forRootAsync({
      isGlobal: true,
      inject: [Environment],
      useFactory: ({ redisUrl }: Environment): RealtimeModuleOptions => ({
        path: '/ws',
        adapter: chooseAdapter(redisUrl),
        channels: { 'room:{name}': { history: { size: 100, ttl: '24h' }, presence: true } },
        limits: { messagesPerSecond: 50, subscriptionsPerConnection: 32 },
        shutdown: { reconnectSpread: '2s' },
      }),
    }),
    ChatModule,
  ],
})
export class AppModule {}
