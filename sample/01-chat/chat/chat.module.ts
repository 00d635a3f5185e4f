import { Module } from '@nestjs/common';
import { RoomChannel } from './room.channel';
import { RoomDirectory } from './room-directory';
import { RoomsController } from './rooms.controller';
import { TypingChannel } from './typing.channel';
import { Visitors } from './visitors';

@Module({
  controllers: [RoomsController],
  providers: [Visitors, RoomChannel, TypingChannel, RoomDirectory],
})
export class ChatModule {}
