import { AdapterUnavailableError, OversizedPublicationError } from '../adapter.errors';
import type { AdapterDelivery } from '../hub-adapter';
import { type Call, type RedisCommands, RedisScript } from './connection/redis-commands';
import type { Topology } from './connection/topology';
import { PublishQueue, type QueueBudget } from './publish-queue';
import { encodeEnvelope } from './wire-envelope';

interface Outgoing {
  readonly pubSubChannel: string;
  readonly envelope: string;
}

const OPERATION = 'Publishing';

/**
 * KEYS: in a cluster one channel, which brings the script to the right node. ARGV: the publishing command, then channel and
 * message of each.
 */
const PUBLISH_ALL = new RedisScript(`
for i = 2, #ARGV, 2 do redis.call(ARGV[1], ARGV[i], ARGV[i + 1]) end
return 1
`);

/** Publishes what has no history: to whoever listens now. */
export class RedisPublisher {
  /** Publications that did not get to the other instances, or may not have. */
  failed = 0;
  private readonly queue: PublishQueue<Outgoing, AdapterDelivery>;

  constructor(
    private readonly sourceId: string,
    private readonly commands: RedisCommands,
    private readonly topology: Topology,
    budget: QueueBudget,
    private readonly maxMessageBytes: number,
  ) {
    this.queue = new PublishQueue(OPERATION, budget, (first, collect, timeout) => this.send(first, collect, timeout));
  }

  /**
   * @param channel the channel's name, for errors; undefined for messages that have none
   * @returns `local` when the way to the others is down, or may have been: it is not sent again, because whoever got it
   * would get it twice
   * @throws HubBusyError, OversizedPublicationError
   */
  async publish(
    pubSubChannel: string,
    payload: Buffer,
    channel?: string,
    exclude?: readonly string[],
  ): Promise<AdapterDelivery> {
    this.assertSize(payload, channel);
    const envelope = encodeEnvelope(this.sourceId, payload, exclude);
    try {
      return await this.queue.add(this.topology.routeOf(pubSubChannel), { pubSubChannel, envelope }, envelope.length);
    } catch (error) {
      if (!(error instanceof AdapterUnavailableError)) throw error;
      this.failed++;
      return 'local';
    }
  }

  /** @throws OversizedPublicationError */
  assertSize(payload: Buffer, channel: string | undefined): void {
    if (payload.length > this.maxMessageBytes) throw new OversizedPublicationError(channel, payload.length, this.maxMessageBytes);
  }

  close(): void {
    this.queue.close();
  }

  private async send(first: Outgoing, collect: () => readonly Outgoing[], timeout: number): Promise<AdapterDelivery[]> {
    const { sharded } = this.topology;
    const verb = sharded ? 'SPUBLISH' : 'PUBLISH';
    let count = 0;
    const call: Call = async (client, asking) => {
      const messages = collect();
      count = messages.length;
      if (count === 0) return undefined;
      const args = messages.flatMap(({ pubSubChannel, envelope }) => [pubSubChannel, envelope]);
      if (count === 1 && !asking) return client.callBuffer(verb, args);
      return PUBLISH_ALL.run(client, sharded ? [first.pubSubChannel] : [], [verb, ...args], asking);
    };
    await this.commands.run(OPERATION, first.pubSubChannel, call, timeout);
    return Array.from({ length: count }, () => 'cluster');
  }
}
