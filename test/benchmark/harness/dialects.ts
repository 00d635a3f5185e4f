import type { Dialect } from './raw-client';

/** The key that the bench's own servers accept. */
export const BENCH_KEY = 'bench-key';

/** How each kind of server is spoken to. */
export const DIALECTS: Readonly<Record<string, Dialect>> = {
  realtime: {
    path: () => '/ws',
    headers: [`Authorization: Bearer ${BENCH_KEY}`],
    hello: (channels) => channels.map((channel) => JSON.stringify({ type: 'subscribe', channel })),
    // The greeting, and one reply for each channel.
    repliesExpected: (channels) => 1 + channels.length,
  },
  plain: {
    path: (channels) => `/?${channels.map((channel) => `channel=${channel}`).join('&')}`,
    headers: [],
    hello: () => [],
    repliesExpected: () => 0,
  },
  nestWs: {
    path: () => '/ws',
    headers: [],
    hello: (channels) => channels.map((channel) => JSON.stringify({ event: 'subscribe', data: channel })),
    repliesExpected: (channels) => channels.length,
  },
  socketIo: {
    path: () => '/socket.io/?EIO=4&transport=websocket',
    headers: [],
    hello: () => ['40'],
    // Events are taken once the namespace has answered, which is the second reply.
    follow: (replies, channels) => (replies === 2 ? channels.map((channel, i) => `42${i}["subscribe","${channel}"]`) : []),
    // Engine.IO's handshake, the namespace's, and one acknowledgement for each channel.
    repliesExpected: (channels) => 2 + channels.length,
    answerTo: (text) => (text === '2' ? '3' : undefined),
  },
};
