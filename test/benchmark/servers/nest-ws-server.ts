import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, OnGatewayDisconnect, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { type BenchData, obey } from '../harness/server-control';

const channels = new Map<string, Set<WebSocket>>();

/** Nest's own adapter, used as its documentation has it. Rooms are the application's affair there. */
@WebSocketGateway({ path: '/ws' })
class BenchGateway implements OnGatewayDisconnect {
  @SubscribeMessage('subscribe')
  subscribe(@ConnectedSocket() socket: WebSocket, @MessageBody() channel: string): object {
    channels.set(channel, (channels.get(channel) ?? new Set()).add(socket));
    return { event: 'subscribed', data: channel };
  }

  handleDisconnect(socket: WebSocket): void {
    for (const members of channels.values()) members.delete(socket);
  }
}

@Module({ providers: [BenchGateway] })
class BenchModule {}

const encode = (channel: string, data: BenchData): string =>
  JSON.stringify({ event: 'chat', data: { channel, data, timestamp: new Date().toISOString() } });

async function main(): Promise<void> {
  const app = await NestFactory.create(BenchModule, { logger: ['error'] });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  obey({
    port: (app.getHttpServer().address() as AddressInfo).port,
    payloadLength: (channel, data) => encode(channel, data).length,
    publish: (channel, data) => {
      const text = encode(channel, data);
      for (const socket of channels.get(channel) ?? []) socket.send(text);
    },
  });
}

void main();
