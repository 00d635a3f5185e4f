import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import type { Server, ServerOptions, Socket } from 'socket.io';
import { type BenchData, obey } from '../harness/server-control';

/** Socket.IO as Nest offers it, over WebSocket alone, with its rooms. */
@WebSocketGateway({ transports: ['websocket'], perMessageDeflate: process.env.BENCH_DEFLATE === '1' ? { threshold: 0 } : false })
class BenchGateway {
  @WebSocketServer() readonly server!: Server;

  @SubscribeMessage('subscribe')
  async subscribe(@ConnectedSocket() socket: Socket, @MessageBody() channel: string): Promise<string> {
    await socket.join(channel);
    return channel;
  }
}

/** With connection-state recovery, over Redis Streams, both as Socket.IO's documentation has them. */
class RecoveringIoAdapter extends IoAdapter {
  readonly publisher = new Redis(process.env.BENCH_REDIS!);

  override createIOServer(port: number, options?: ServerOptions): Server {
    const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true } };
    const server = super.createIOServer(port, { ...options, ...recovery } as ServerOptions);
    server.adapter(createStreamsAdapter(this.publisher));
    return server;
  }
}

/** Over Redis as Nest's documentation has it, with ioredis. */
class RedisIoAdapter extends IoAdapter {
  readonly publisher = new Redis(process.env.BENCH_REDIS!);
  private readonly subscriber = this.publisher.duplicate();

  override createIOServer(port: number, options?: ServerOptions): Server {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter(this.publisher, this.subscriber));
    return server;
  }
}

@Module({ providers: [BenchGateway] })
class BenchModule {}

const message = (channel: string, data: BenchData): object => ({ channel, data, timestamp: new Date().toISOString() });

async function main(): Promise<void> {
  const app = await NestFactory.create(BenchModule, { logger: ['error'] });
  const Adapter = process.env.BENCH_HISTORY === '1' ? RecoveringIoAdapter : RedisIoAdapter;
  const overRedis = process.env.BENCH_REDIS ? new Adapter(app) : undefined;
  app.useWebSocketAdapter(overRedis ?? new IoAdapter(app));
  await app.listen(0, '127.0.0.1');
  const { server } = app.get(BenchGateway);
  obey({
    port: (app.getHttpServer().address() as AddressInfo).port,
    payloadLength: (channel, data) => `42${JSON.stringify(['chat', message(channel, data)])}`.length,
    publish: (channel, data) => void server.to(channel).emit('chat', message(channel, data)),
    settled: async () => overRedis?.publisher.ping(),
  });
}

void main();
