import { ChannelJoiner, type JoinRequest } from '../../../lib/hub/channel-joiner';
import type { HubCore } from '../../../lib/hub/hub-core';
import { SharedReads } from '../../../lib/hub/shared-reads';
import type { Subscription } from '../../../lib/hub/subscription';
import { encodeCursor } from '../../../lib/protocol/cursor';
import { waitFor } from '../../support/wait-for';
import { settle, startHub } from './hub-kit';
import { StallingConnection } from './stalling-connection';

const CHANNELS = 50;
const KEPT = 10;
const BODY = 'x'.repeat(1000);
const MAX_BYTES = KEPT * 1100;
/** What 16 reads may hold at their largest. */
const LIMIT = 16 * MAX_BYTES;
const history = { size: KEPT, ttl: 60_000 };

const channelOf = (n: number): string => `room:${n}`;

async function publish(hub: HubCore, channel: string, n: number): Promise<void> {
  const frame = hub.encode({ type: 'm', channel, data: { n, BODY } });
  await hub.adapter.append({ channel, payload: frame.payload }, history);
}

const numbersOf = ({ messages }: StallingConnection): number[] =>
  messages.filter(({ type }) => type === 'm').map(({ data }) => (data as { n: number }).n);

interface Joining {
  readonly connection: StallingConnection;
  readonly subscription: Subscription;
  readonly joined: Promise<void>;
}

/** Clients of as many channels, each of which stops reading at once. */
async function joinAll(request: (hub: HubCore, channel: string) => Promise<JoinRequest>): Promise<{ hub: HubCore; reads: SharedReads; all: Joining[] }> {
  const hub = await startHub({ channels: { 'room:*': { history: { size: KEPT, ttl: 60_000 } } } });
  const reads = new SharedReads(hub.adapter, { maxPublications: 100, maxBytes: MAX_BYTES });
  const joiner = new ChannelJoiner(reads);
  const all: Joining[] = [];
  for (let n = 0; n < CHANNELS; n++) {
    const asked = await request(hub, channelOf(n));
    for (let i = 1; i <= KEPT; i++) await publish(hub, channelOf(n), i);
    const connection = new StallingConnection(hub, { id: `c${n}` });
    hub.register(connection);
    connection.onFrame = () => connection.stall();
    const subscription = hub.channels.add(connection, channelOf(n));
    all.push({ connection, subscription, joined: joiner.join(subscription, asked) });
  }
  await waitFor('every answer', () => all.every(({ connection }) => connection.frames.length > 0));
  return { hub, reads, all };
}

async function letThemRead({ reads, all }: { reads: SharedReads; all: Joining[] }): Promise<number> {
  const joined = Promise.all(all.map((each) => each.joined));
  let most = 0;
  await waitFor('all to be through', async () => {
    for (const { connection } of all) connection.catchUp();
    most = Math.max(most, reads.bytes);
    return Promise.race([joined.then(() => true), settle().then(() => false)]);
  });
  return most;
}

const fromTheStart = async (hub: HubCore, channel: string): Promise<JoinRequest> => ({
  cursor: encodeCursor((await hub.adapter.read(channel, { last: 0 }, history)).position),
});

describe('histories that are held for clients that do not read', () => {
  it('are bounded over all of them, keep nobody from his answer, and are sent whole in the end', async () => {
    const kit = await joinAll(fromTheStart);
    expect(kit.reads.bytes).toBeGreaterThan(0);
    expect(kit.reads.bytes).toBeLessThanOrEqual(LIMIT);
    expect(await letThemRead(kit)).toBeLessThanOrEqual(LIMIT);
    for (const { connection } of kit.all) {
      expect(connection.messages[0]).toMatchObject({ type: 'subscribed', recovered: true });
      expect(connection.types).not.toContain('reset');
      expect(numbersOf(connection)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
    expect(kit.reads.bytes).toBe(0);
  });

  it('are joined to what is published meanwhile, or to a reset, without a gap', async () => {
    const kit = await joinAll(fromTheStart);
    for (const { connection } of kit.all) await publish(kit.hub, channelOf(Number(connection.id.slice(1))), 11);
    await letThemRead(kit);
    for (const { connection } of kit.all) {
      // Of the first that is missing nothing is left, so that what comes before it says nothing about what follows.
      const sinceReset = connection.messages.slice(connection.types.indexOf('reset') + 1);
      const first = connection.types.includes('reset') ? 12 : 1;
      const numbers = sinceReset.filter(({ type }) => type === 'm').map(({ data }) => (data as { n: number }).n);
      expect(numbers).toEqual(Array.from({ length: 12 - first }, (_, n) => first + n));
    }
    // Those that kept what had been read for them are not touched by others' need of memory.
    expect(kit.all.filter(({ connection }) => !connection.types.includes('reset')).length).toBeGreaterThanOrEqual(15);
  });

  it('are bounded for replays, which are whole too', async () => {
    const kit = await joinAll(async () => ({ replay: 5 }));
    expect(kit.reads.bytes).toBeLessThanOrEqual(LIMIT);
    await letThemRead(kit);
    for (const { connection } of kit.all) expect(numbersOf(connection)).toEqual([6, 7, 8, 9, 10]);
    expect(kit.reads.bytes).toBe(0);
  });

  it('are given back when the clients leave, and when their answer cannot be encoded', async () => {
    const kit = await joinAll(fromTheStart);
    for (const { connection, subscription } of kit.all) {
      kit.hub.channels.remove(subscription);
      connection.catchUp();
    }
    await Promise.all(kit.all.map(({ joined }) => joined));
    expect(kit.reads.bytes).toBe(0);

    const connection = new StallingConnection(kit.hub, { id: 'late' });
    kit.hub.register(connection);
    const failed = new ChannelJoiner(kit.reads).join(kit.hub.channels.add(connection, channelOf(0)), { replay: 5, data: 1n });
    await expect(failed).rejects.toMatchObject({ name: 'SerializationError' });
    expect(kit.reads.bytes).toBe(0);
  });
});
