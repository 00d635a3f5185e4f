// Runs in a process of its own, to be ended by a signal. Arguments: the HTTP platform, who handles the signal, and the URL of
// Redis, if there is one.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { type CanActivate, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  type DisconnectEvent,
  HubService,
  OnDisconnect,
  RealtimeModule,
  RealtimeWsAdapter,
  redisAdapter,
} from 'nestjs-realtime';
import { MessageBody } from '@nestjs/websockets';

const [, , platform, signalHandler, redisUrl] = process.argv;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

@Injectable()
class Lives implements OnApplicationShutdown {
  @OnDisconnect()
  async disconnect(@MessageBody() event: DisconnectEvent): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    say(`disconnected ${event.code}`);
  }

  onApplicationShutdown(signal?: string): void {
    say(`stopped by ${signal}`);
  }
}

/** Keeps who asks it for ever waiting. */
const undecided: CanActivate = {
  canActivate: (context) => {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    request.user = { id: 'alice', expiresAt: Date.now() + 3_600_000 };
    if (request.headers['x-wait'] === undefined) return true;
    say('asked');
    return new Promise(() => undefined);
  },
};

@Module({
  imports: [
    RealtimeModule.forRoot({
      adapter: redisAdapter({ url: redisUrl }),
      guards: [undecided],
      channels: { '*': { history: { size: 10, ttl: '1h' }, presence: true } },
      heartbeat: { interval: 60_000 },
      limits: { handshakeTimeout: '1h' },
    }),
  ],
  providers: [Lives],
})
class AppModule {}

async function main(): Promise<void> {
  const options = { logger: ['error', 'warn'] as ('error' | 'warn')[] };
  const app =
    platform === 'fastify'
      ? await NestFactory.create(AppModule, new FastifyAdapter(), options)
      : await NestFactory.create(AppModule, options);
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  if (signalHandler === 'nest') app.enableShutdownHooks();
  // Nest ends the process with the signal once more; here nothing does, and whatever is left open keeps it alive.
  else process.once('SIGTERM', () => void app.close().then(() => say('closed')));
  await app.listen(0, '127.0.0.1');
  await app.get(HubService).publish('news', 'kept');
  say(`listening ${((app.getHttpServer() as Server).address() as AddressInfo).port}`);
}

void main();
