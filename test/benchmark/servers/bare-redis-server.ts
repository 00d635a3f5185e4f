import { Redis } from 'ioredis';
import { HopRecorder } from '../harness/hop-recorder';
import { type BenchData, obey } from '../harness/server-control';

/** The least that crossing processes over Redis takes: ioredis's `publish` here, its `message` event there. */
const url = process.env.BENCH_REDIS!;
const publisher = new Redis(url);
const subscriber = new Redis(url);
const recorder = new HopRecorder();

const encode = (channel: string, data: BenchData): string =>
  JSON.stringify({ type: 'chat', channel, data, timestamp: new Date().toISOString() });

subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => recorder.record(message));

async function main(): Promise<void> {
  if (process.env.BENCH_RECORD === '1') await subscriber.subscribe('bench-0');
  obey({
    port: 0,
    payloadLength: (channel, data) => encode(channel, data).length,
    publish: (channel, data) => void publisher.publish(channel, encode(channel, data)),
    settled: () => publisher.ping(),
    stats: () => recorder.take(),
  });
}

void main();
