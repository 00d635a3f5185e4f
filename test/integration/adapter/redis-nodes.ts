import { randomBytes } from 'node:crypto';
import { ConsoleLogger, Logger } from '@nestjs/common';
import type { HubAdapter } from '../../../lib/adapter/hub-adapter';
import { redisAdapter } from '../../../lib/adapter/redis/redis-adapter.factory';
import type { RedisAdapterOptions } from '../../../lib/adapter/redis/redis-adapter.options';
import { type AdapterNode, RecordingReceiver } from './adapter-conformance';

/** An adapter that is not started. */
export function createNode(options: RedisAdapterOptions, resolve?: (token: unknown) => unknown): AdapterNode {
  const context = { instanceId: randomBytes(16).toString('hex'), resolve: (resolve ?? (() => undefined)) as never };
  return { adapter: redisAdapter(options).create(context), receiver: new RecordingReceiver() };
}

export async function startNode(options: RedisAdapterOptions, resolve?: (token: unknown) => unknown): Promise<AdapterNode> {
  const node = createNode(options, resolve);
  await node.adapter.start(node.receiver);
  return node;
}

export function startNodes(count: number, options: () => RedisAdapterOptions): Promise<AdapterNode[]> {
  return Promise.all(Array.from({ length: count }, () => startNode(options())));
}

/** Quick to notice and to come back, so that a test waits for little; slow enough for a machine with much to do. */
export const BRISK = {
  reconnect: { initialDelay: 20, maxDelay: 200 },
  probe: { interval: 300, timeout: 1500 },
  positionCheckInterval: 300,
  publishTimeout: 1000,
  instances: { heartbeat: 200, deadAfter: 1500 },
} as const satisfies RedisAdapterOptions;

export const payloadOf = (data: unknown): Buffer => Buffer.from(JSON.stringify({ type: 'm', data }));

/** The data of what a node was given on a channel, in order. */
export function received({ receiver }: AdapterNode, channel: string): unknown[] {
  return receiver.publications
    .filter((publication) => publication.channel === channel)
    .map(({ text }) => (JSON.parse(text) as { data: unknown }).data);
}

/** Outages are told in the log, which a test that makes them need not show. */
export function silenceLogs(): void {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(new ConsoleLogger()));
}

/** What a test has started is stopped after it, the last first, whether it passed or not. */
export function useCleanup(): <T extends { stop(): Promise<unknown> }>(started: T) => T {
  const started: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const each of started.splice(0).toReversed()) await each.stop();
  });
  return (each) => {
    started.push(each);
    return each;
  };
}

/** Publishes until somebody gets it: true once messages pass from one to the other. */
export async function passes(from: HubAdapter, to: AdapterNode, channel: string): Promise<boolean> {
  await from.publish({ channel, payload: payloadOf('passing') });
  return received(to, channel).includes('passing');
}
