import { apiKeys, redisAdapter, type RedisAdapterOptions, type RealtimeModuleOptions } from 'nestjs-realtime';
import { createApp, type TestApp, type TestAppOptions } from '../../support/create-app';
import type { RedisServer } from '../../support/redis-server';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

export const CHANNELS: RealtimeModuleOptions['channels'] = {
  'plain:{name}': {},
  'kept:{name}': { history: { size: 500, ttl: '10m' } },
  'room:{name}': { presence: { gracePeriod: 300 } },
  'hall:{name}': { presence: { gracePeriod: 3000 } },
};
export const PLAIN = 'plain:x';
export const KEPT = 'kept:x';

/** One instance, where the key of a user is `key-` and the name. */
export function startInstance(options: RedisAdapterOptions, { realtime, ...rest }: TestAppOptions = {}): Promise<TestApp> {
  const users = Object.fromEntries(['alice', 'bob', 'carol'].map((name) => [`key-${name}`, name]));
  const auth = { authenticator: apiKeys(users) };
  return createApp({ ...rest, realtime: { adapter: redisAdapter(options), auth, channels: CHANNELS, ...realtime } });
}

export function connectAs({ url }: Pick<TestApp, 'url'>, user: string): Promise<TestClient> {
  return TestClient.connect(`${url}/ws`, { headers: { authorization: `Bearer key-${user}` } });
}

/** The connection's id, from its greeting. */
export async function connectWithId({ url }: Pick<TestApp, 'url'>, user: string): Promise<{ client: TestClient; id: string }> {
  const client = await TestClient.connect(`${url}/ws`, { headers: { authorization: `Bearer key-${user}` }, greeted: false });
  const { data } = await client.next('connected');
  return { client, id: (data as { connectionId: string }).connectionId };
}

/** Connections of instances that Redis has. */
export function connectionsOf(redis: RedisServer): Promise<number> {
  return redis.use(async (client) => {
    const list = String(await client.call('CLIENT', 'LIST')).split('\n');
    return list.filter((line) => line.includes('nestjs-realtime')).length;
  });
}

/** Time for a batch of publications to arrive, before others are sent in case these were lost. */
const PATIENCE = 300;

/** Clients that stay connected whatever happens to Redis, one of each instance, and what they were sent. */
export class Audience {
  private published = 0;
  /** What was taken into the history, in the order in which that was told. */
  private readonly accepted: number[] = [];

  private constructor(
    readonly apps: readonly TestApp[],
    readonly clients: readonly TestClient[],
  ) {}

  static async on(apps: readonly TestApp[]): Promise<Audience> {
    const clients = await Promise.all(apps.map((app) => connectAs(app, 'alice')));
    for (const client of clients) await Promise.all([client.subscribe(PLAIN), client.subscribe(KEPT)]);
    return new Audience(apps, clients);
  }

  /** What a client was sent on a channel, in order. */
  static received(client: TestClient, channel: string): number[] {
    return client.frames.filter((frame) => frame.type === 'message' && frame.channel === channel).map(({ data }) => data as number);
  }

  /** @throws what publishing throws */
  async publish(app: TestApp, channel: string): Promise<{ id: number; delivered: string }> {
    const id = this.published++;
    const { delivered } = await app.hub.publish(channel, id);
    if (channel === KEPT) this.accepted.push(id);
    return { id, delivered };
  }

  /** Waits until what each instance publishes gets to each client, on both kinds of channel. */
  async flows(): Promise<void> {
    const batches: (readonly [string, number])[][] = [];
    let sentAt = 0;
    await waitFor('publications of every instance at every client', async () => {
      if (Date.now() - sentAt >= PATIENCE) {
        batches.push(await this.publishEverywhere());
        sentAt = Date.now();
      }
      return batches.some((batch) => batch.length > 0 && batch.every(([channel, id]) => this.hasReached(channel, id)));
    });
  }

  /** Everything accepted has reached every client, in one order; and nothing has come twice. No client was touched. */
  async judge(): Promise<{ twice: number[]; missing: number[]; orders: number; resets: TestFrame[]; gone: number }> {
    await waitFor('all that was accepted', () => this.accepted.every((id) => this.hasReached(KEPT, id)));
    const lists = [PLAIN, KEPT].flatMap((channel) => this.clients.map((client) => Audience.received(client, channel)));
    const kept = this.clients.map((client) => Audience.received(client, KEPT));
    return {
      twice: lists.flatMap((list) => list.filter((id, index) => list.indexOf(id) !== index)),
      missing: this.accepted.filter((id) => !kept.every((list) => list.includes(id))),
      orders: new Set(kept.map(String)).size,
      resets: this.clients.flatMap((client) => client.ofType('reset')),
      gone: this.clients.filter(({ socket }) => socket.readyState !== socket.OPEN).length,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }

  private hasReached(channel: string, id: number): boolean {
    return this.clients.every((client) => Audience.received(client, channel).includes(id));
  }

  /** @returns what was handed to every instance; nothing when one could not */
  private async publishEverywhere(): Promise<(readonly [string, number])[]> {
    const work = this.apps.flatMap((app) =>
      [PLAIN, KEPT].map(async (channel) => {
        const { id, delivered } = await this.publish(app, channel);
        return delivered === 'cluster' ? ([channel, id] as const) : undefined;
      }),
    );
    const outcomes = await Promise.allSettled(work);
    const sent = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []));
    return sent.length === outcomes.length ? sent : [];
  }
}

/** What {@link Audience.judge} finds where all is well. */
export const WELL = { twice: [], missing: [], orders: 1, resets: [], gone: 0 };
