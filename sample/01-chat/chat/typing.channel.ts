import { ForbiddenException, Injectable } from '@nestjs/common';
import { ChannelParam, ConnectedClient, Connection, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { nameOf } from './visitors';

/** Who is writing just now. A channel of its own, so that it takes no place in the room's history. */
@Injectable()
export class TypingChannel {
  @OnSubscribe('typing:{room}')
  watch(@ChannelParam('room') room: string, @ConnectedClient() client: Connection): void {
    if (!client.channels.includes(`room:${room}`)) throw new ForbiddenException('Enter the room first');
  }

  @SubscribeChannel('typing:{room}', { echo: false })
  tell(@ConnectedClient() client: Connection): { name: string } {
    return { name: nameOf(client) };
  }
}
