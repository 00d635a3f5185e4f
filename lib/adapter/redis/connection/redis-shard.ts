import { Logger } from '@nestjs/common';
import type { ConnectionSource } from './connection-source';
import type { RedisNodeAddress } from './redis-node-address';
import { closeConnection, type RedisClient, resetConnection } from './redis-client';
import { SubscriberConnection, type SubscriberEvents } from './subscriber-connection';

/** How long a shard that is not needed any more may still answer, in ms. */
const RETIREMENT = 2_000;

/** What a shard tells, besides what its subscriber connection does. */
export interface ShardEvents extends SubscriberEvents {
  /** One of the connections has become ready, or is no more. */
  onStatus(): void;
}

/** One Redis, or one master of a cluster: a connection for commands, and one that listens. */
export class RedisShard {
  readonly commands: RedisClient;
  readonly subscriber: SubscriberConnection;
  private readonly logger = new Logger('RedisAdapter');
  private lastError: Error | undefined;
  private onFirstError: ((error: Error) => void) | undefined;
  /** Since when all connections are ready, in ms since the epoch. */
  private readySince: number | undefined;
  private stalledSince = Date.now();
  private closed = false;
  private closing: NodeJS.Timeout | undefined;

  constructor(
    readonly id: string,
    source: ConnectionSource,
    private readonly events: ShardEvents,
    node?: RedisNodeAddress,
  ) {
    this.commands = source.open('commands', node);
    this.subscriber = new SubscriberConnection(source.open('subscriber', node), source.cluster !== undefined, events);
    for (const client of this.clients) {
      client.on('error', (error) => this.onError(error));
      client.on('ready', () => this.onStatus());
      client.on('close', () => this.onStatus());
    }
  }

  get ready(): boolean {
    return this.readySince !== undefined;
  }

  /** @throws what the connections failed with first; they go on trying until {@link close} */
  async connect(): Promise<void> {
    const failed = new Promise<never>((_resolve, reject) => (this.onFirstError = reject));
    const connected = Promise.all(this.clients.map((client) => client.connect()));
    try {
      // While Sentinels are tried, a connection tells of failures and is still neither made nor given up.
      await Promise.race([connected, failed]);
    } catch (error) {
      connected.catch(() => undefined);
      throw this.lastError ?? error;
    } finally {
      this.onFirstError = undefined;
    }
  }

  /**
   * Makes connections anew that are neither ready nor getting there: a peer that takes a connection and then says nothing
   * would hold it for ever.
   */
  watch(now: number, patience: number): void {
    if (this.ready) return;
    if (now - this.stalledSince < patience) return;
    this.stalledSince = now;
    for (const client of this.clients) {
      if (client.status === 'end') client.connect().catch(() => undefined);
      else if (client.status !== 'ready') resetConnection(client);
    }
  }

  resetCommands(): void {
    resetConnection(this.commands);
  }

  resetSubscriber(): void {
    resetConnection(this.subscriber.client);
  }

  /** Nothing more is asked of it; what is under way may still be answered. */
  retire(onClosed: () => void): void {
    this.subscriber.close();
    closeConnection(this.subscriber.client);
    this.readySince = undefined;
    this.closed = true;
    this.closing = setTimeout(() => {
      this.close();
      onClosed();
    }, RETIREMENT);
  }

  close(): void {
    clearTimeout(this.closing);
    this.closed = true;
    this.readySince = undefined;
    this.subscriber.close();
    for (const client of this.clients) closeConnection(client);
  }

  private get clients(): RedisClient[] {
    return [this.commands, this.subscriber.client];
  }

  private onError(error: Error): void {
    if (this.closed) return;
    // Once an outage, not once an attempt.
    if (this.lastError?.message !== error.message) this.logger.warn(`Redis at ${this.id}: ${error.message}`);
    this.lastError = error;
    this.onFirstError?.(error);
    // ioredis 5 takes the news that a slot has moved for an answer that nobody waits for, and is out of step from then on.
    if (error.message.startsWith('Command queue state error')) this.resetSubscriber();
  }

  private onStatus(): void {
    if (this.closed) return;
    const ready = this.clients.every(({ status }) => status === 'ready');
    if (ready !== this.ready) {
      if (ready && this.lastError) this.logger.log(`Redis at ${this.id}: connected again`);
      this.readySince = ready ? Date.now() : undefined;
      this.stalledSince = Date.now();
      if (ready) this.lastError = undefined;
    }
    this.events.onStatus();
  }
}
