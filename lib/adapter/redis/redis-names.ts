/**
 * How pub/sub channels are called in Redis.
 *
 * `channels`: `{prefix}:broadcast` and `{prefix}:channel:{name}`. `rooms`: `{prefix}:global`, and a channel `room:lobby`
 * is `{prefix}:room:lobby`, for applications that share Redis with others who use these names; channels that are no rooms
 * are called as in `channels`. Or names of your own.
 *
 * @publicApi
 */
export type RedisNaming = 'channels' | 'rooms' | CustomRedisNaming;

/** Names of the pub/sub channels in Redis, as another system has them. @publicApi */
export interface CustomRedisNaming {
  /** The pub/sub channel of broadcasts. */
  readonly broadcast: string;
  /** The pub/sub channel of a channel; another one for each. */
  channel(name: string): string;
}

/** The names of everything that the adapter has in Redis. */
export class RedisNames {
  readonly broadcast: string;
  readonly control: string;
  private readonly toChannel: (name: string) => string;

  constructor(
    private readonly prefix: string,
    naming: RedisNaming,
  ) {
    const custom = typeof naming === 'object' ? naming : namingOf(prefix, naming);
    this.broadcast = custom.broadcast;
    this.control = `${prefix}:control`;
    this.toChannel = (name) => custom.channel(name);
  }

  channel(name: string): string {
    return this.toChannel(name);
  }

  /** A channel on which an instance hears itself. In a cluster, `attempt` is varied until the right node has its slot. */
  probe(instanceId: string, attempt: number): string {
    return `${this.prefix}:probe:${instanceId}:${attempt}`;
  }

  historyPosition(pubSubChannel: string): string {
    return this.inSlotOf(pubSubChannel, 'position');
  }

  historyStream(pubSubChannel: string): string {
    return this.inSlotOf(pubSubChannel, 'history');
  }

  /** A key that a publication on the channel was made under. */
  publishedOnce(pubSubChannel: string, key: string): string {
    return `${this.inSlotOf(pubSubChannel, 'published')}:${key}`;
  }

  presence(pubSubChannel: string): string {
    return this.inSlotOf(pubSubChannel, 'presence');
  }

  idempotencyKey(key: string): string {
    return `${this.prefix}:once:${key}`;
  }

  /** Keys of the register of instances, which scripts use together. */
  get instances(): { alive: string; info: string; burying: string; buried: string } {
    const base = `${this.prefix}:{instances}`;
    return { alive: `${base}:alive`, info: `${base}:info`, burying: `${base}:burying`, buried: `${base}:buried` };
  }

  /** The channels on which an instance has members. */
  presenceOf(owner: string): string {
    return `${this.prefix}:members:${owner}`;
  }

  /** A key in the pub/sub channel's slot, so that one script may write the key and publish on the channel. */
  private inSlotOf(pubSubChannel: string, kind: string): string {
    // A name of the application's own may bring its hash tag with it.
    return pubSubChannel.includes('{') ? `${this.prefix}:${kind}:${pubSubChannel}` : `${this.prefix}:${kind}:{${pubSubChannel}}`;
  }
}

function namingOf(prefix: string, naming: 'channels' | 'rooms'): CustomRedisNaming {
  const plain = (name: string): string => `${prefix}:channel:${name}`;
  if (naming === 'channels') return { broadcast: `${prefix}:broadcast`, channel: plain };
  return {
    broadcast: `${prefix}:global`,
    channel: (name) => (name.startsWith('room:') ? `${prefix}:${name}` : plain(name)),
  };
}
