import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type BenchData, obey } from '../harness/server-control';

/** What one writes without a library: a set of sockets for each channel, one `send` for each of them. */
const channels = new Map<string, Set<WebSocket>>();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: process.env.BENCH_DEFLATE === '1' ? { threshold: 0 } : false });

server.on('connection', (socket, request) => {
  const held = new URL(request.url!, 'ws://x').searchParams.getAll('channel');
  for (const channel of held) channels.set(channel, (channels.get(channel) ?? new Set()).add(socket));
  socket.on('close', () => {
    for (const channel of held) channels.get(channel)?.delete(socket);
  });
});

const encode = (channel: string, data: BenchData): string =>
  JSON.stringify({ type: 'chat', channel, data, timestamp: new Date().toISOString() });

http.listen(0, '127.0.0.1', () => {
  obey({
    port: (http.address() as AddressInfo).port,
    payloadLength: (channel, data) => encode(channel, data).length,
    publish: (channel, data) => {
      const text = encode(channel, data);
      for (const socket of channels.get(channel) ?? []) socket.send(text);
    },
  });
});
