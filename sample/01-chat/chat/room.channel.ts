import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { ChannelParam, ConnectedClient, Connection, OnSubscribe, OnUnsubscribe, SubscribeChannel } from 'nestjs-realtime';
import { type Room, RoomDirectory } from './room-directory';
import { RoomNamePipe } from './room-name.pipe';
import { SayDto } from './say.dto';
import { nameOf } from './visitors';

/** What members of a room see of a message. */
export interface ChatMessage {
  name: string;
  text: string;
  key?: string;
}

/** The rooms: who may enter, and what is said. History and presence are options of the channel (app.module.ts). */
@Injectable()
export class RoomChannel {
  constructor(private readonly directory: RoomDirectory) {}

  @OnSubscribe('room:{name}')
  enter(@ChannelParam('name', RoomNamePipe) name: string): Promise<Room> {
    this.directory.assertRoomFor(name);
    this.directory.touch(name);
    return this.directory.describe(name);
  }

  @OnUnsubscribe('room:{name}')
  leave(@ChannelParam('name') name: string): void {
    this.directory.touch(name);
  }

  /** `{ "type": "chat", "channel": "room:lobby", "data": { "text": "Hello" } }` */
  @SubscribeChannel('room:{name}')
  say(@MessageBody() { text, key }: SayDto, @ConnectedClient() client: Connection): ChatMessage {
    return { name: nameOf(client), text, key };
  }
}
