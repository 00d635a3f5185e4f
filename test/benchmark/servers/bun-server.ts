// Run by Bun itself: its pub/sub is uWebSockets, written in C++, and stands for what a server without JavaScript in the
// fan-out can do. Left out when no `bun` is on PATH.
import { type BenchData, obey } from '../harness/server-control';

// oxlint-disable-next-line typescript/no-explicit-any
declare const Bun: any;

const encode = (channel: string, data: BenchData): string =>
  JSON.stringify({ type: 'chat', channel, data, timestamp: new Date().toISOString() });

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request: Request, bun: { upgrade(request: Request, options: object): boolean }) {
    const channels = new URL(request.url).searchParams.getAll('channel');
    if (bun.upgrade(request, { data: { channels } })) return undefined;
    return new Response('upgrade expected', { status: 400 });
  },
  websocket: {
    perMessageDeflate: process.env.BENCH_DEFLATE === '1',
    open(socket: { data: { channels: string[] }; subscribe(channel: string): void }) {
      for (const channel of socket.data.channels) socket.subscribe(channel);
    },
    message() {},
  },
});

obey({
  port: server.port,
  payloadLength: (channel, data) => encode(channel, data).length,
  publish: (channel, data) => server.publish(channel, encode(channel, data), process.env.BENCH_DEFLATE === '1'),
});
