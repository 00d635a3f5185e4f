import type { AdapterReceiver } from '../hub-adapter';
import { decodeControlCommand } from './control-command';
import type { Interests } from './live/interest';
import type { LiveChannels } from './live/live-channels';
import type { RedisNames } from './redis-names';
import { decodeEnvelope, type WireMessage } from './wire-envelope';

/** Figures of what came in. */
export interface InboxFigures {
  received: number;
  /** Envelopes that could not be read. */
  malformed: number;
  /** Envelopes that were too large to be read. */
  oversized: number;
}

/** Room for what an envelope has besides its message. */
const ENVELOPE_BYTES = 16 * 1024;

/** What comes in on the listening connections, where anybody may publish. */
export class RedisInbox {
  readonly figures: InboxFigures = { received: 0, malformed: 0, oversized: 0 };

  constructor(
    private readonly instanceId: string,
    private readonly names: RedisNames,
    private readonly receiver: AdapterReceiver,
    private readonly interests: Interests,
    private readonly live: LiveChannels,
    private readonly options: { readonly maxMessageBytes: number; readonly typeField: string },
  ) {}

  onMessage(pubSubChannel: string, bytes: Buffer): void {
    this.figures.received++;
    if (bytes.length > this.options.maxMessageBytes + ENVELOPE_BYTES) {
      this.figures.oversized++;
      return;
    }
    if (pubSubChannel === this.names.broadcast) this.onBroadcast(bytes);
    else if (pubSubChannel === this.names.control) this.onControl(bytes);
    else this.onChannel(pubSubChannel, bytes);
  }

  private onBroadcast(bytes: Buffer): void {
    const message = this.decode(bytes, this.options.typeField);
    if (message && !this.isOwn(message)) this.receiver.onBroadcast(message.payload);
  }

  private onControl(bytes: Buffer): void {
    const message = this.decode(bytes, 'kind');
    if (message === undefined || this.isOwn(message)) return;
    const command = decodeControlCommand(message.payload);
    if (command) this.receiver.onControl(command);
    else this.figures.malformed++;
  }

  private onChannel(pubSubChannel: string, bytes: Buffer): void {
    const interest = this.interests.findByPubSubChannel(pubSubChannel);
    if (interest === undefined) return;
    const message = this.decode(bytes, this.options.typeField, interest.name);
    if (message === undefined) return;
    if (message.position) this.live.onPublication(interest, message, message.position);
    else if (interest.wanted && !this.isOwn(message)) {
      this.receiver.onPublication(interest.name, message.payload, undefined, message.exclude);
    }
  }

  private isOwn({ sourceId }: WireMessage): boolean {
    return sourceId === this.instanceId;
  }

  private decode(bytes: Buffer, typeField: string, channel?: string): WireMessage | undefined {
    const message = decodeEnvelope(bytes, { channel, typeField });
    if (message === undefined) this.figures.malformed++;
    return message;
  }
}
