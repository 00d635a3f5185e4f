import { Redis } from 'ioredis';
import { type BenchData, clockMicros, obey } from '../harness/server-control';

/** The least that crossing processes over Redis takes: ioredis's `publish` here, its `message` event there. */
const url = process.env.BENCH_REDIS!;
const publisher = new Redis(url);
const subscriber = new Redis(url);
let latencies: number[] = [];
let received = 0;

const encode = (channel: string, data: BenchData): string =>
  JSON.stringify({ type: 'chat', channel, data, timestamp: new Date().toISOString() });

subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
  received++;
  const text = message.toString('latin1');
  latencies.push(clockMicros() - Number.parseInt(text.slice(text.indexOf('"t":') + 4), 10));
});

async function main(): Promise<void> {
  if (process.env.BENCH_LISTEN === '1') await subscriber.subscribe('bench-0');
  obey({
    port: 0,
    payloadLength: (channel, data) => encode(channel, data).length,
    publish: (channel, data) => void publisher.publish(channel, encode(channel, data)),
    settled: () => publisher.ping(),
    stats: () => {
      const answer = { received, latencies };
      latencies = [];
      received = 0;
      return answer;
    },
  });
}

void main();
