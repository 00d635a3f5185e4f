import type { TestFrame } from '../test-client';
import type { ClientEvent, ClientRecord } from './recording';

/** Writes down what a client is given, and knows where it stands on each channel. */
export class ClientRecorder {
  private readonly events = new Map<string, ClientEvent[]>();
  private readonly positions = new Map<string, string>();

  constructor(
    readonly client: string,
    readonly channels: readonly string[],
  ) {
    for (const channel of channels) this.events.set(channel, []);
  }

  get records(): ClientRecord[] {
    return this.channels.map((channel) => ({ client: this.client, channel, events: this.events.get(channel)! }));
  }

  /** Where to continue from; undefined before the first answer. */
  cursorOf(channel: string): string | undefined {
    return this.positions.get(channel);
  }

  /** @param connection the client's how manieth it came over */
  read(frame: TestFrame, connection: number): void {
    const { type, channel, recovered, cursor = '' } = frame;
    const events = channel === undefined ? undefined : this.events.get(channel);
    // A join that failed; one that failed late has been answered before.
    if (events === undefined || type === 'error' || type === 'unsubscribed') return;
    if (type === 'subscribed') {
      events.push({ kind: 'subscribed', connection, asked: this.cursorOf(channel!), recovered, cursor });
    } else if (type === 'reset') {
      events.push({ kind: 'reset', connection, cursor });
    } else {
      events.push({ kind: 'publication', connection, id: (frame.data as { id: string }).id, cursor });
    }
    this.positions.set(channel!, cursor);
  }
}
