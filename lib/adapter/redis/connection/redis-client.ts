import { MissingIoredisError } from '../redis-adapter.errors';

/** What the adapter uses of an ioredis connection: the same in ioredis 5 and 6. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  readonly stream?: { destroy(): void };
  connect(): Promise<void>;
  disconnect(): void;
  duplicate(overrides: Readonly<Record<string, unknown>>): RedisClient;
  asking(): Promise<unknown>;
  callBuffer(command: string, args: readonly (string | Buffer | number)[]): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  on(event: 'messageBuffer' | 'smessageBuffer', listener: (channel: Buffer, message: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'ready' | 'close' | 'moved', listener: () => void): unknown;
}

/** An application's own `Cluster` of ioredis: only asked for its nodes. */
export interface RedisClusterClient {
  readonly isCluster: true;
  readonly options: Readonly<Record<string, unknown>>;
  readonly startupNodes?: readonly unknown[];
  nodes(role: 'all'): RedisClient[];
}

export type RedisConstructor = {
  new (options: Readonly<Record<string, unknown>>): RedisClient;
  new (url: string, options: Readonly<Record<string, unknown>>): RedisClient;
};

/**
 * Loads ioredis, which only applications with Redis have.
 *
 * @throws MissingIoredisError
 */
export function loadIoredis(load: () => unknown = () => require('ioredis')): RedisConstructor {
  try {
    return (load() as { Redis: RedisConstructor }).Redis;
  } catch (error) {
    throw new MissingIoredisError(error);
  }
}

/**
 * Cuts a connection so that it is made anew. `disconnect(true)` would wait for a peer that may never answer.
 */
export function resetConnection(client: RedisClient): void {
  client.stream?.destroy();
}

/** Ends a connection for good, without waiting for the peer. */
export function closeConnection(client: RedisClient): void {
  client.disconnect();
  client.stream?.destroy();
}
