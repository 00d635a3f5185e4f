// A client that loses its connection over and over, and says what that leaves behind. Argument: the server's URL.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { RealtimeClient } from '../../../lib/client';

/** Until everything is compiled and cached that will be. */
const WARM_UP = 500;
const RECONNECTIONS = 1000;
const CHANNELS = 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const client = new RealtimeClient(process.argv[2]!, { WebSocket, minDelay: 1, maxDelay: 1 });
const channels = Array.from({ length: CHANNELS }, (_, index) => client.channel(`room:${index}`));
let received = 0;
for (const channel of channels) channel.on('message', () => received++);

/** Comes back so often; each time with all channels and a message. */
async function reconnect(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const back = Promise.all(channels.map((channel) => new Promise<void>((resolve) => {
      const remove = channel.on('subscribed', () => {
        remove();
        resolve();
      });
    })));
    // The server closes the connection in place of an answer.
    await client.request('cut', undefined).catch(() => undefined);
    await back;
  }
}

/** The sockets of closed connections go in later turns: waits until no fewer are left. */
async function resources(): Promise<string[]> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  collectGarbage();
  return process.getActiveResourcesInfo().toSorted();
}

async function main(): Promise<void> {
  await Promise.all(channels.map((channel) => channel.subscribe()));
  await reconnect(WARM_UP);
  const before = { resources: await resources(), heap: process.memoryUsage().heapUsed };
  await reconnect(RECONNECTIONS);
  await channels[0]!.publish('chat', 'still here');
  const after = { resources: await resources(), heap: process.memoryUsage().heapUsed };
  process.stdout.write(`${JSON.stringify({ before, after, received })}\n`);
  client.close();
}

void main();
