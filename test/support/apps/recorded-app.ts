// An instance for runs that are judged: publishes what its parent process tells it to, and answers what came of it.
// Arguments: the Redis URL.
import 'reflect-metadata';
import type { AddressInfo, Server } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AdapterUnavailableError, HubBusyError, HubService, RealtimeModule, RealtimeWsAdapter, redisAdapter } from 'nestjs-realtime';
import type { InstanceAnswer, InstanceCommand } from '../checker/instance';
import type { PublishOutcome } from '../checker/recording';

@Module({
  imports: [
    RealtimeModule.forRoot({
      channels: { 'news:{name}': { history: { size: 50_000, ttl: '10m' } } },
      // However long a busy machine keeps a client away, it gets what it missed.
      recovery: { maxPublications: 50_000, maxBytes: 64 * 1024 * 1024 },
      adapter: redisAdapter({
        url: process.argv[2],
        // It may be started while Redis is away.
        lazy: true,
        reconnect: { initialDelay: 20, maxDelay: 200 },
        probe: { interval: 500, timeout: 2000 },
        positionCheckInterval: 500,
        publishTimeout: 1500,
      }),
    }),
  ],
})
class RecordedModule {}

function outcomeOf(error: unknown): PublishOutcome {
  if (error instanceof HubBusyError) return 'rejected';
  if (error instanceof AdapterUnavailableError) return error.outcome === 'unknown' ? 'unknown' : 'rejected';
  throw error;
}

async function publish(hub: HubService, channel: string, id: string): Promise<InstanceAnswer> {
  try {
    const { cursor } = await hub.publish(channel, { id, text: 'x'.repeat(100) }, { type: 'news' });
    return { id, outcome: 'accepted', cursor };
  } catch (error) {
    return { id, outcome: outcomeOf(error) };
  }
}

const answer = (message: InstanceAnswer): void => void (process.connected && process.send?.(message));

async function main(): Promise<void> {
  const app = await NestFactory.create(RecordedModule, { logger: ['error'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  const hub = app.get(HubService);
  process.on('disconnect', () => process.exit());
  process.on('message', (command: InstanceCommand) => {
    if (command.do === 'publish') void publish(hub, command.channel, command.id).then(answer);
    else void hub.history(command.channel, { limit: 1 }).then(({ cursor }) => answer({ id: command.id, outcome: 'accepted', cursor }));
  });
  await app.listen(0, '127.0.0.1');
  process.send?.({ port: ((app.getHttpServer() as Server).address() as AddressInfo).port });
}

void main();
