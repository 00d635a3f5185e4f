import { type ClientOptions, WebSocket } from 'ws';
import { RealtimeClient } from '../../../lib/client';
import type { ClientRecorder } from './client-recorder';
import type { Random } from './random';
import type { RecordedClient } from './socket-client';

/** The project's own client, and what it tells an application. */
export class LibraryClient implements RecordedClient {
  private readonly client: RealtimeClient;
  private socket: WebSocket | undefined;
  private connection = 0;

  constructor(
    readonly recorder: ClientRecorder,
    ports: readonly number[],
    random: Random,
  ) {
    // Classes have no other way to tell of their instances.
    const onSocket = (socket: WebSocket): void => {
      this.socket = socket;
      this.connection++;
    };
    class TrackedSocket extends WebSocket {
      constructor(address: string, protocols?: string | string[], options?: ClientOptions) {
        super(address, protocols, options);
        onSocket(this);
      }
    }
    const url = `ws://127.0.0.1:${random.pick(ports)}/ws`;
    this.client = new RealtimeClient(url, { WebSocket: TrackedSocket, minDelay: 20, maxDelay: 250, connectTimeout: 5000 });
    for (const channel of recorder.channels) this.follow(channel);
  }

  cut(): void {
    this.socket?.terminate();
  }

  async stop(): Promise<void> {
    this.client.close();
    this.cut();
  }

  private follow(name: string): void {
    const channel = this.client.channel<{ id: string }>(name);
    const read = (type: string, rest: { cursor?: string; recovered?: boolean; data?: unknown }): void =>
      this.recorder.read({ type, channel: name, timestamp: '', ...rest }, this.connection);
    channel.on('message', (data, { cursor }) => read('news', { data, cursor }));
    channel.on('subscribed', ({ cursor, recovered }) => read('subscribed', { cursor, recovered }));
    channel.on('reset', ({ by, cursor }) => {
      // The other kind has been told by `recovered: false`.
      if (by === 'server') read('reset', { cursor });
    });
    channel.subscribe().catch(() => undefined);
  }
}
