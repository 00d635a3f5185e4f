import { WebSocket } from 'ws';
import { type Channel, RealtimeClient, type RealtimeClientOptions } from '../../../lib/client';

/** A client for Node that does not keep a test waiting. */
export function clientOf(url: string, options: RealtimeClientOptions<'websocket' | 'sse'> = {}): RealtimeClient {
  return new RealtimeClient(url, { WebSocket, minDelay: 10, maxDelay: 200, ...options });
}

/** One channel, with what it told its application. */
export class Listener {
  readonly messages: unknown[] = [];
  readonly events: string[] = [];
  readonly channel: Channel;

  constructor(
    readonly client: RealtimeClient,
    name: string,
  ) {
    this.channel = client.channel(name);
    this.channel.on('message', (message) => this.messages.push(message));
    this.channel.on('subscribed', ({ recovered, resubscribed }) => {
      if (resubscribed) this.events.push(recovered ? 'recovered' : 'not recovered');
    });
    this.channel.on('reset', () => this.events.push('reset'));
    this.channel.on('unsubscribed', () => this.events.push('unsubscribed'));
  }

  /** How often it came back. */
  get returns(): number {
    return this.events.filter((event) => event.endsWith('recovered')).length;
  }
}
