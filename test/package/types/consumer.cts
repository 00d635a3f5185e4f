// An application as its author sees it: what does not type-check here, does not for users either.
import { Body, Controller, ForbiddenException, Injectable, Module, Param, Post, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import {
  apiKeys,
  BearerTokenGuard,
  ChannelParam,
  ConnectedUser,
  HubService,
  isRealtimeContext,
  OnDisconnect,
  OnMessage,
  OnSubscribe,
  RealtimeModule,
  RealtimeWsAdapter,
  SubscribeChannel,
} from 'nestjs-realtime';
import type { HubStats, PublishResult, RealtimeModuleOptions, RealtimeUser, Subscriber } from 'nestjs-realtime';

@Injectable()
class NotMuted implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return isRealtimeContext(context);
  }
}

@Injectable()
class RoomChannel {
  @OnSubscribe('room:{name}')
  join(@ChannelParam('name') name: string, @ConnectedUser() user: RealtimeUser | undefined): { name: string } {
    if (!user) throw new ForbiddenException();
    return { name };
  }

  @SubscribeChannel('room:{name}')
  @UseGuards(NotMuted)
  say(@MessageBody() body: { text: string }, @ConnectedUser() user: RealtimeUser): { text: string; author: string } {
    return { ...body, author: user.id };
  }

  @OnMessage('time')
  time(): string {
    return new Date().toISOString();
  }

  @OnDisconnect()
  async left(): Promise<void> {}
}

@Controller('rooms')
class RoomController {
  constructor(private readonly hub: HubService) {}

  @Post(':name')
  publish(@Param('name') name: string, @Body() body: { text: string }): Promise<PublishResult> {
    return this.hub.publish(`room:${name}`, body, { type: 'chat' });
  }

  stats(): HubStats {
    return this.hub.stats();
  }
}

const options: RealtimeModuleOptions = {
  path: '/ws',
  guards: [BearerTokenGuard],
  auth: { authenticator: apiKeys({ secret: 'alice' }) },
  origins: ['https://example.org'],
  heartbeat: { interval: 30_000, timeout: 60_000 },
  limits: { maxMessageBytes: 65_536 },
  channels: { 'room:{name}': { history: { size: 100, ttl: '10m' }, presence: true } },
};

@Module({
  imports: [RealtimeModule.forRootAsync({ isGlobal: true, useFactory: () => options })],
  controllers: [RoomController],
  providers: [RoomChannel, NotMuted],
})
export class AppModule {}

export function prepare(app: INestApplication): void {
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
}

export const subscriber: Subscriber = { send: () => true, close: () => undefined };

// @ts-expect-error An option that does not exist is refused, so the options are typed at all.
export const refused: RealtimeModuleOptions = { paht: '/ws' };
