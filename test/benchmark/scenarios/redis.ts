import { bareRedis, type Contender } from '../harness/contenders';
import type { LineProcess } from '../harness/line-process';
import { assertDelivered, type Counts, cpuBetween, DeliveryError } from '../harness/measure';
import { CHANNEL, RedisPair } from './redis-pair';

const PAYLOAD = 167;

/** What crossing takes: for each message, how much later than on the instance that published it it was read, in µs. */
export interface CrossingResult {
  crossings: number[];
  /** From the publication to a client of the same instance, and of the other, in µs. */
  local: number[];
  remote: number[];
  /** Connections that Redis has, for each instance. */
  connections: number;
}

/** One message at a time, to one client on each of two instances. */
export async function crossing(contender: Contender, messages: number): Promise<CrossingResult> {
  const pair = await RedisPair.open(contender);
  try {
    const near = await pair.connect(pair.publisher, 1, 1);
    const far = await pair.connect(pair.receiver, 1, 1);
    const send = async (ticks: number): Promise<Counts[]> => {
      for (const load of [near, far]) await load.ask({ op: 'reset' });
      await pair.publisher.ask({ op: 'publish', channels: [CHANNEL], ticks, perTick: 1, intervalMs: 5, payload: PAYLOAD });
      return Promise.all([near, far].map((load) => load.ask<Counts>({ op: 'await', received: ticks, timeoutMs: 20_000 })));
    };
    await send(400);
    const [here, there] = await send(messages);
    assertDelivered(contender.name, there!, messages);
    const connections = (await pair.redis.connections()) / 2;
    const crossings = there!.latencies.map((latency, i) => latency - here!.latencies[i]!);
    return { crossings, local: here!.latencies, remote: there!.latencies, connections };
  } finally {
    await pair.close();
  }
}

/** From `publish` in one process to whoever listens in the other, without clients, in µs. */
export async function hop(contender: Contender, messages: number): Promise<number[]> {
  const pair = await RedisPair.open(contender, true);
  try {
    const send = async (ticks: number): Promise<number[]> => {
      await pair.publisher.ask({ op: 'publish', channels: [CHANNEL], ticks, perTick: 1, intervalMs: 5, payload: PAYLOAD });
      return (await pair.receiver.ask<{ latencies: number[] }>({ op: 'stats' })).latencies;
    };
    await send(400);
    const latencies = await send(messages);
    if (latencies.length !== messages) throw new DeliveryError(`${contender.name}: ${latencies.length} of ${messages} came`);
    return latencies;
  } finally {
    await pair.close();
  }
}

/** Publications of one instance, as many as get through. CPU in µs a publication. */
export interface FloodResult {
  perSecond: number;
  publisherCpu: number;
  redisCpu: number;
  receiverCpu: number;
}

/** One instance publishes to one client of another, which gets every message. */
export async function flood(contender: Contender, count: number): Promise<FloodResult> {
  const pair = await RedisPair.open(contender, contender === bareRedis);
  try {
    const arrived = contender === bareRedis ? awaitStats(pair.receiver) : awaitLoad(await pair.connect(pair.receiver, 1, 0));
    const send = (messages: number): Promise<{ ms: number; cpu: number }> =>
      pair.publisher.ask({ op: 'flood', channel: CHANNEL, count: messages, payload: PAYLOAD });
    const warmUp = Math.ceil(count / 4);
    await send(warmUp);
    await arrived(contender.name, warmUp);

    const [redisBefore, receiverBefore] = [await pair.redis.cpu(), await pair.usage(pair.receiver)];
    const { ms, cpu } = await send(count);
    await arrived(contender.name, count);
    const [redisAfter, receiverAfter] = [await pair.redis.cpu(), await pair.usage(pair.receiver)];
    return {
      perSecond: count / (ms / 1000),
      publisherCpu: cpu / count,
      redisCpu: (redisAfter - redisBefore) / count,
      receiverCpu: cpuBetween(receiverBefore, receiverAfter) / count,
    };
  } finally {
    await pair.close();
  }
}

type Arrival = (name: string, count: number) => Promise<void>;

function awaitLoad(load: LineProcess): Arrival {
  return async (name, count) => {
    assertDelivered(name, await load.ask<Counts>({ op: 'await', received: count, timeoutMs: 60_000 }), count);
    await load.ask({ op: 'reset' });
  };
}

function awaitStats(receiver: LineProcess): Arrival {
  return async (name, count) => {
    // What Redis has taken is on its way: by the time that it is asked, the receiver may still be reading.
    await new Promise((resolve) => setTimeout(resolve, 500));
    assertDelivered(name, await receiver.ask<Counts>({ op: 'stats' }), count);
  };
}

/** CPU of the receiving instance for one delivery, in µs: 1,000 clients, every message from the other instance. */
export async function remoteFanOut(contender: Contender, perTick: number, ticks: number, subscribers = 1000): Promise<number> {
  const pair = await RedisPair.open(contender);
  try {
    const load = await pair.connect(pair.receiver, subscribers, 0);
    const send = async (turns: number): Promise<Counts> => {
      await pair.publisher.ask({ op: 'publish', channels: [CHANNEL], ticks: turns, perTick, intervalMs: 10, payload: PAYLOAD });
      return load.ask<Counts>({ op: 'await', received: turns * perTick * subscribers, timeoutMs: 60_000 });
    };
    await send(30);
    await load.ask({ op: 'reset' });
    const before = await pair.usage(pair.receiver);
    const counts = await send(ticks);
    const after = await pair.usage(pair.receiver);
    const deliveries = ticks * perTick * subscribers;
    assertDelivered(contender.name, counts, deliveries);
    return cpuBetween(before, after) / deliveries;
  } finally {
    await pair.close();
  }
}
