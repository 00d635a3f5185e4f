import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { apiKeys, BearerTokenGuard, ChannelParam, type Frame, HubService, OnSubscribe, RealtimeModule, RealtimeWsAdapter, redisAdapter, SubscribeChannel } from 'nestjs-realtime';
import { BENCH_KEY } from '../harness/dialects';
import { HopRecorder } from '../harness/hop-recorder';
import { type BenchData, obey } from '../harness/server-control';

/** The whole module, as an application uses it: a guard, handlers, and `HubService.publish`. */
@Injectable()
class BenchChannel {
  @OnSubscribe('bench-{name}')
  join(@ChannelParam('name') name: string): string {
    return name;
  }

  @SubscribeChannel('bench-{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

@Module({
  imports: [
    RealtimeModule.forRoot({
      path: '/ws',
      adapter: redisAdapter({ url: process.env.BENCH_REDIS }),
      guards: [BearerTokenGuard],
      auth: { authenticator: apiKeys({ [BENCH_KEY]: 'bench' }) },
      channels: process.env.BENCH_HISTORY === '1' ? { 'bench-{name}': { history: { size: 1000, ttl: '10m' } } } : {},
      ...(process.env.BENCH_DEFLATE === '1' ? { compression: { threshold: 0 } } : {}),
    }),
  ],
  providers: [BenchChannel],
})
class BenchModule {}

/** A subscriber in this process, for what measures the way here without a socket behind it. */
async function record(hub: HubService): Promise<HopRecorder> {
  const recorder = new HopRecorder();
  const send = ({ payload }: Frame): boolean => {
    if (payload.includes('"t":')) recorder.record(payload);
    return true;
  };
  const { id } = hub.register({ send, close: () => undefined });
  await hub.subscribe({ connectionId: id }, 'bench-0');
  return recorder;
}

async function main(): Promise<void> {
  const app = await NestFactory.create(BenchModule, { logger: ['error'] });
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const hub = app.get(HubService);
  const recorder = process.env.BENCH_RECORD === '1' ? await record(hub) : undefined;
  const underWay = new Set<Promise<unknown>>();
  const follow = (publication: Promise<unknown>): void => {
    underWay.add(publication);
    void publication.then(() => underWay.delete(publication));
  };
  obey({
    port: (app.getHttpServer().address() as AddressInfo).port,
    payloadLength: (channel: string, data: BenchData) =>
      JSON.stringify({ type: 'chat', channel, data, timestamp: new Date().toISOString() }).length,
    publish: (channel, data) => follow(hub.publish(channel, data, { type: 'chat' })),
    settled: () => Promise.all(underWay),
    broadcast: (data) => void hub.broadcast('chat', data),
    stats: () => recorder?.take() ?? hub.stats(),
  });
}

void main();
