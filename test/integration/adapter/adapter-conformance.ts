import * as fc from 'fast-check';
import type {
  AdapterReceiver,
  ControlCommand,
  HistorySettings,
  HubAdapter,
  PresenceMember,
} from '../../../lib/adapter/hub-adapter';
import type { Position } from '../../../lib/protocol/cursor';
import { waitFor } from '../../support/wait-for';

/** What an adapter told its hub. */
export class RecordingReceiver implements AdapterReceiver {
  readonly publications: { channel: string; text: string; position?: Position; exclude?: readonly string[] }[] = [];
  readonly broadcasts: string[] = [];
  readonly commands: ControlCommand[] = [];
  readonly lost: { channel: string; position: Position }[] = [];
  readonly presence: { channel: string; change: 'join' | 'leave'; member: PresenceMember }[] = [];

  onPublication(channel: string, payload: Buffer, position?: Position, exclude?: readonly string[]): void {
    this.publications.push({ channel, text: payload.toString('utf8'), position, exclude });
  }

  onBroadcast(payload: Buffer): void {
    this.broadcasts.push(payload.toString('utf8'));
  }

  onControl(command: ControlCommand): void {
    this.commands.push(command);
  }

  onContinuityLost(channel: string, position: Position): void {
    this.lost.push({ channel, position });
  }

  onPresence(channel: string, change: 'join' | 'leave', member: PresenceMember): void {
    this.presence.push({ channel, change, member });
  }

  counts(): Record<string, number> {
    return { clients: 7 };
  }
}

export interface AdapterNode {
  adapter: HubAdapter;
  receiver: RecordingReceiver;
}

/** Makes started adapters that see each other. */
export type MakeCluster = (nodes: number) => Promise<AdapterNode[]>;

const HISTORY: HistorySettings = { size: 5, ttl: 60_000 };
const body = (n: number | string): Buffer => Buffer.from(JSON.stringify({ type: 'm', data: n }));

/**
 * What every adapter has to do, whatever it is made of. An adapter of one process is run with one node, and the tests of
 * what crosses instances are then about that nothing comes back to the sender.
 */
export function describeHubAdapter(name: string, nodes: number, makeCluster: MakeCluster): void {
  describe(`the ${name} adapter, as every adapter`, () => {
    let cluster: AdapterNode[];
    let count = 0;
    const uniqueChannel = (): string => `conformance:${process.pid}:${count++}`;
    const first = (): AdapterNode => cluster[0]!;

    beforeEach(async () => {
      cluster = await makeCluster(nodes);
    });
    afterEach(async () => {
      await Promise.all(cluster.map(({ adapter }) => adapter.stop()));
    });

    it('carries a publication without history to the others once, and never back', async () => {
      const channel = uniqueChannel();
      for (const { adapter } of cluster) await adapter.subscribe(channel);
      const payload = body('with "quotes", ünïcode and a \n line break');
      expect(await first().adapter.publish({ channel, payload, exclude: ['c1'] })).toBe('cluster');
      for (const { receiver } of cluster.slice(1)) {
        await waitFor('the publication', () => receiver.publications.length > 0);
        expect(receiver.publications).toMatchObject([{ channel, text: payload.toString('utf8'), exclude: ['c1'] }]);
        expect(receiver.publications[0]!.position).toBeUndefined();
      }
      expect(first().receiver.publications).toEqual([]);
    });

    it('carries broadcasts and control commands to the others, and never back', async () => {
      const command: ControlCommand = { kind: 'disconnect', target: { userId: 'u' }, code: 4503, reason: 'bye' };
      await first().adapter.broadcast(body('all'));
      await first().adapter.control(command);
      for (const { receiver } of cluster.slice(1)) {
        await waitFor('both messages', () => receiver.broadcasts.length > 0 && receiver.commands.length > 0);
        expect(receiver.broadcasts).toEqual([body('all').toString('utf8')]);
        expect(receiver.commands).toEqual([command]);
      }
      expect(first().receiver.broadcasts).toEqual([]);
      expect(first().receiver.commands).toEqual([]);
    });

    it('delivers what is appended to every subscribed instance, the own one too, in the order of the positions', async () => {
      const channel = uniqueChannel();
      for (const { adapter } of cluster) await adapter.subscribe(channel);
      const appended = await Promise.all(
        Array.from({ length: 20 }, (_, i) => cluster[i % cluster.length]!.adapter.append({ channel, payload: body(i) }, HISTORY)),
      );
      const offsets = appended.map(({ position }) => position.offset).toSorted((a, b) => a - b);
      expect(offsets).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      for (const { receiver } of cluster) {
        await waitFor('all publications', () => receiver.publications.length >= 20);
        expect(receiver.publications.map(({ position }) => position!.offset)).toEqual(offsets);
      }
    });

    it('recovers everything after a position, and nothing more', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const before = await adapter.read(channel, { last: 0 }, HISTORY);
      expect(before).toMatchObject({ recovered: true, publications: [] });
      const positions: Position[] = [before.position];
      for (let i = 1; i <= 4; i++) positions.push((await adapter.append({ channel, payload: body(i) }, HISTORY)).position);
      for (const [index, after] of positions.entries()) {
        const read = await adapter.read(channel, { after }, HISTORY);
        expect(read.recovered).toBe(true);
        expect(read.publications.map(({ position }) => position)).toEqual(positions.slice(index + 1));
        expect(read.position).toEqual(positions.at(-1));
      }
    });

    it('recovers from the position right before the oldest publication that is held, and from none before', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const positions: Position[] = [];
      for (let i = 0; i < 8; i++) positions.push((await adapter.append({ channel, payload: body(i) }, HISTORY)).position);
      expect(await adapter.read(channel, { after: positions[2]! }, HISTORY)).toMatchObject({ recovered: true });
      expect(await adapter.read(channel, { after: positions[1]! }, HISTORY)).toEqual({
        recovered: false,
        publications: [],
        position: positions.at(-1),
      });
    });

    it('does not take a position of another life, another publication or the future for its own', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      await adapter.append({ channel, payload: body(1) }, HISTORY);
      const { position } = await adapter.append({ channel, payload: body(2) }, HISTORY);
      const strangers: Position[] = [
        { ...position, epoch: 'other' },
        { ...position, tag: 'other' },
        { ...position, offset: 1 },
        { ...position, offset: 3 },
      ];
      for (const after of strangers) {
        expect(await adapter.read(channel, { after }, HISTORY)).toMatchObject({ recovered: false, publications: [], position });
      }
    });

    it('reads the last publications, in order', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      for (let i = 0; i < 4; i++) await adapter.append({ channel, payload: body(i) }, HISTORY);
      const { publications } = await adapter.read(channel, { last: 2 }, HISTORY);
      expect(publications.map(({ payload }) => payload.toString('utf8'))).toEqual([body(2), body(3)].map(String));
      expect((await adapter.read(channel, { last: 100 }, HISTORY)).publications).toHaveLength(4);
    });

    it('forgets a history that is cleared, and starts another life', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const { position } = await adapter.append({ channel, payload: body(1) }, HISTORY);
      await adapter.clearHistory(channel);
      const after = await adapter.read(channel, { after: position }, HISTORY);
      expect(after).toMatchObject({ recovered: false, publications: [] });
      expect(after.position.epoch).not.toBe(position.epoch);
    });

    it('lets go of a history after its ttl, and still knows a position at its top', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const short: HistorySettings = { size: 5, ttl: 40 };
      const { position: one } = await adapter.append({ channel, payload: body(1) }, short);
      const { position: two } = await adapter.append({ channel, payload: body(2) }, short);
      await waitFor('the end of what is held', async () => (await adapter.read(channel, { last: 5 }, short)).publications.length === 0);
      expect(await adapter.read(channel, { after: two }, short)).toMatchObject({ recovered: true, publications: [] });
      expect(await adapter.read(channel, { after: one }, short)).toMatchObject({ recovered: false });
    });

    it('hands out nothing older than maxAge', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const aging: HistorySettings = { size: 5, ttl: 60_000, maxAge: 40 };
      const { position } = await adapter.append({ channel, payload: body(1) }, aging);
      await waitFor('the end of what is held', async () => (await adapter.read(channel, { last: 5 }, aging)).publications.length === 0);
      await adapter.append({ channel, payload: body(2) }, aging);
      expect((await adapter.read(channel, { after: position }, aging)).recovered).toBe(true);
    });

    it('pages upwards and downwards through what is held', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const positions: Position[] = [];
      for (let i = 0; i < 5; i++) positions.push((await adapter.append({ channel, payload: body(i) }, HISTORY)).position);
      const offsets = async (query: Parameters<HubAdapter['history']>[1]): Promise<unknown> => {
        const page = await adapter.history(channel, query, HISTORY);
        expect(page.position).toEqual(positions.at(-1));
        return [page.publications.map(({ position }) => position.offset), page.complete];
      };
      expect(await offsets({ limit: 2 })).toEqual([[1, 2], false]);
      expect(await offsets({ limit: 2, after: positions[1] })).toEqual([[3, 4], false]);
      expect(await offsets({ limit: 2, after: positions[3] })).toEqual([[5], true]);
      expect(await offsets({ limit: 2, reverse: true })).toEqual([[5, 4], false]);
      expect(await offsets({ limit: 2, reverse: true, after: positions[2] })).toEqual([[2, 1], true]);
    });

    it('gives an idempotency key to one claimant, and its result to the others', async () => {
      const key = uniqueChannel();
      const claims = await Promise.all(cluster.flatMap(({ adapter }) => [adapter.claim(key, 60_000), adapter.claim(key, 60_000)]));
      expect(claims.filter((claim) => claim === undefined)).toHaveLength(1);
      const result = { delivered: 'cluster', cursor: 'c' } as const;
      await first().adapter.remember(key, result, 60_000);
      expect(await cluster.at(-1)!.adapter.claim(key, 60_000)).toMatchObject(result);
      await first().adapter.release(key);
      expect(await cluster.at(-1)!.adapter.claim(key, 60_000)).toBeUndefined();
    });

    it('gives an idempotency key again to the owner who was not told that he has it, and takes it back from him alone', async () => {
      const key = uniqueChannel();
      const [one, other] = [first().adapter, cluster.at(-1)!.adapter];
      expect(await one.claim(key, 60_000, 'one')).toBeUndefined();
      expect(await other.claim(key, 60_000, 'one')).toBeUndefined();
      expect(await other.claim(key, 60_000, 'other')).toBeDefined();
      await other.release(key, 'other');
      expect(await other.claim(key, 60_000, 'other')).toBeDefined();
      await other.release(key, 'one');
      expect(await other.claim(key, 60_000, 'other')).toBeUndefined();
      // Done is done, whoever is late to give it back.
      await other.remember(key, { delivered: 'local' }, 60_000);
      await other.release(key, 'other');
      expect(await one.claim(key, 60_000, 'other')).toMatchObject({ delivered: 'local' });
    });

    it('appends once under a key, whoever repeats it, and answers with the first position', async () => {
      const channel = uniqueChannel();
      for (const { adapter } of cluster) await adapter.subscribe(channel);
      const once = { key: 'order "1"\nü', ttl: 60_000 };
      const attempts = await Promise.all(
        cluster.flatMap(({ adapter }) =>
          [1, 2].map((data) => adapter.append({ channel, payload: body(data) }, HISTORY, once)),
        ),
      );
      expect(attempts.filter(({ duplicate }) => duplicate !== true)).toHaveLength(1);
      expect(new Set(attempts.map(({ position }) => JSON.stringify(position))).size).toBe(1);
      const next = await first().adapter.append({ channel, payload: body('next') }, HISTORY, { ...once, key: 'another' });
      expect(next).toMatchObject({ position: { offset: 2 } });
      for (const { receiver } of cluster) {
        await waitFor('the next publication', () => receiver.publications.some(({ text }) => text === String(body('next'))));
        expect(receiver.publications.map(({ position }) => position!.offset)).toEqual([1, 2]);
      }
    });

    it('keeps keys by channel, for their time, and when a history is cleared', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const append = (key: string, ttl: number, on = channel) => adapter.append({ channel: on, payload: body(1) }, HISTORY, { key, ttl });
      const { position } = await append('long', 60_000);
      expect(await append('long', 60_000, uniqueChannel())).not.toHaveProperty('duplicate');
      await append('short', 30);
      await waitFor('the end of the key', async () => (await append('short', 30)).duplicate !== true);
      await adapter.clearHistory(channel);
      expect(await append('long', 60_000)).toEqual({ position, duplicate: true });
    });

    it('recovers what is within the bounds of a read, and claims nothing beyond them', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const after = (await adapter.read(channel, { last: 0 }, HISTORY)).position;
      for (let i = 0; i < 3; i++) await adapter.append({ channel, payload: body(i) }, HISTORY);
      const maxBytes = 3 * body(0).length;
      const read = async (maxPublications: number, bytes: number): Promise<unknown> => {
        const { recovered, publications } = await adapter.read(channel, { after, bounds: { maxPublications, maxBytes: bytes } }, HISTORY);
        return [recovered, publications.length];
      };
      expect(await read(3, maxBytes)).toEqual([true, 3]);
      expect(await read(2, maxBytes)).toEqual([false, 0]);
      expect(await read(3, maxBytes - 1)).toEqual([false, 0]);
      expect(await read(Infinity, Infinity)).toEqual([true, 3]);
    });

    it('replays the newest that are within the bounds of a read', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      for (let i = 0; i < 3; i++) await adapter.append({ channel, payload: body(i) }, HISTORY);
      const length = body(0).length;
      const read = async (maxPublications: number, maxBytes: number): Promise<unknown> => {
        const { publications } = await adapter.read(channel, { last: 3, bounds: { maxPublications, maxBytes } }, HISTORY);
        return publications.map(({ payload }) => payload.toString());
      };
      const all = [0, 1, 2].map((i) => body(i).toString());
      expect(await read(3, 3 * length)).toEqual(all);
      expect(await read(2, 3 * length)).toEqual(all.slice(1));
      expect(await read(3, 3 * length - 1)).toEqual(all.slice(1));
      expect(await read(3, length - 1)).toEqual([]);
      expect(await read(Infinity, Infinity)).toEqual(all);
    });

    it.each([99, 100, 101, 250])('reads %i publications, all of them and in order', async (many) => {
      const channel = uniqueChannel();
      const settings = { ...HISTORY, size: 300 };
      const { adapter } = first();
      const after = (await adapter.read(channel, { last: 0 }, settings)).position;
      await Promise.all(Array.from({ length: many }, (_, i) => adapter.append({ channel, payload: body(i) }, settings)));
      const expected = Array.from({ length: many }, (_, i) => body(i).toString());
      const texts = ({ publications }: { publications: readonly { payload: Buffer }[] }): string[] => publications.map(({ payload }) => payload.toString());
      expect(texts(await adapter.read(channel, { after }, settings))).toEqual(expected);
      expect(texts(await adapter.read(channel, { last: 300 }, settings))).toEqual(expected);
      expect(texts(await adapter.history(channel, { limit: 300 }, settings))).toEqual(expected);
      expect(texts(await adapter.history(channel, { limit: 300, reverse: true }, settings))).toEqual(expected.toReversed());
    });

    it('keeps the members of a channel, wherever they are', async () => {
      const channel = uniqueChannel();
      const member = (id: string): PresenceMember => ({ connectionId: id, user: 'u', info: { name: id } });
      expect(await first().adapter.addMember(channel, member('a'))).toBe(true);
      expect(await first().adapter.addMember(channel, member('a'))).toBe(false);
      expect(await cluster.at(-1)!.adapter.addMember(channel, member('b'))).toBe(true);
      const members = await first().adapter.members(channel);
      expect(members.toSorted((x, y) => x.connectionId.localeCompare(y.connectionId))).toEqual([member('a'), member('b')]);
      expect(await first().adapter.removeMember(channel, 'a')).toBe(true);
      expect(await first().adapter.removeMember(channel, 'a')).toBe(false);
      expect(await cluster.at(-1)!.adapter.members(channel)).toEqual([member('b')]);
    });

    it('claims continuity only where a model does, in any order of appending, reading, trimming and clearing', async () => {
      const { adapter } = first();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
          await followsModel(adapter, uniqueChannel(), steps);
        }),
        { numRuns: 50 },
      );
    });

    it('has delivered everything up to the position of a read when the read is answered', async () => {
      const channel = uniqueChannel();
      const reader = cluster.at(-1)!;
      await reader.adapter.subscribe(channel);
      await reader.adapter.read(channel, { last: 0 }, HISTORY);
      for (let round = 0; round < 20; round++) {
        const appending = Promise.all(Array.from({ length: 5 }, (_, i) => first().adapter.append({ channel, payload: body(i) }, HISTORY)));
        const { position } = await reader.adapter.read(channel, { last: 0 }, HISTORY);
        expect(reader.receiver.publications.length).toBeGreaterThanOrEqual(position.offset);
        await appending;
      }
      await waitFor('all publications', () => reader.receiver.publications.length === 100);
      expect(reader.receiver.publications.map(({ position }) => position!.offset)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    });

    it('says nothing of a loss when a history is cleared under its subscribers', async () => {
      const channel = uniqueChannel();
      for (const { adapter } of cluster) await adapter.subscribe(channel);
      await first().adapter.append({ channel, payload: body(1) }, HISTORY);
      await first().adapter.clearHistory(channel);
      await first().adapter.append({ channel, payload: body(2) }, HISTORY);
      for (const { receiver } of cluster) {
        await waitFor('both publications', () => receiver.publications.length === 2);
        expect(receiver.lost).toEqual([]);
      }
    });

    it('tells connections that are excluded, on channels with history too', async () => {
      const channel = uniqueChannel();
      for (const { adapter } of cluster) await adapter.subscribe(channel);
      await first().adapter.append({ channel, payload: body(1), exclude: ['c1', 'c"2'] }, HISTORY);
      for (const { receiver } of cluster) {
        await waitFor('the publication', () => receiver.publications.length > 0);
        expect(receiver.publications).toMatchObject([{ exclude: ['c1', 'c"2'], position: { offset: 1 } }]);
      }
    });

    it('keeps a history when the last subscriber has left', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      await adapter.subscribe(channel);
      const { position } = await adapter.append({ channel, payload: body(1) }, HISTORY);
      await adapter.append({ channel, payload: body(2) }, HISTORY);
      adapter.unsubscribe(channel);
      expect(await adapter.read(channel, { after: position }, HISTORY)).toMatchObject({ recovered: true, publications: [{}] });
    });

    it('flags a page that cannot be joined to the position that it was asked for', async () => {
      const channel = uniqueChannel();
      const { adapter } = first();
      const positions: Position[] = [];
      for (let i = 0; i < 8; i++) positions.push((await adapter.append({ channel, payload: body(i) }, HISTORY)).position);
      const offsets = async (query: Parameters<HubAdapter['history']>[1]): Promise<unknown> => {
        const page = await adapter.history(channel, query, HISTORY);
        return [page.publications.map(({ position }) => position.offset), page.complete];
      };
      const [one, , three] = positions as [Position, Position, Position];
      expect(await offsets({ limit: 2, after: one })).toEqual([[4, 5], false]);
      expect(await offsets({ limit: 9, after: one })).toEqual([[4, 5, 6, 7, 8], false]);
      expect(await offsets({ limit: 9, after: three })).toEqual([[4, 5, 6, 7, 8], true]);
      expect(await offsets({ limit: 9, after: { ...three, epoch: 'other' } })).toEqual([[4, 5, 6, 7, 8], false]);
      expect(await offsets({ limit: 2, reverse: true, after: { ...positions[5]!, tag: 'other' } })).toEqual([[8, 7], false]);
      expect(await offsets({ limit: 9, reverse: true, after: positions[3]! })).toEqual([[], true]);
      expect(await offsets({ limit: 9, reverse: true, after: one })).toEqual([[], true]);
    });

    it('says how it is, and who is there', async () => {
      for (const { adapter } of cluster) expect(adapter.status()).toMatchObject({ ready: true });
      const instances = await first().adapter.instances();
      expect(instances.filter(({ counts }) => counts.clients === 7).length).toBeGreaterThanOrEqual(nodes);
      expect(new Set(instances.map(({ id }) => id)).size).toBe(instances.length);
    });

    it('can be stopped twice', async () => {
      await first().adapter.stop();
      await expect(first().adapter.stop()).resolves.toBeUndefined();
    });
  });
}

type Step = { kind: 'append' } | { kind: 'clear' } | { kind: 'read'; from: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'append' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), from: fc.nat(50) }) },
);

/** A history as a list: the positions ever given out, and which life each belongs to. */
async function followsModel(adapter: HubAdapter, channel: string, steps: readonly Step[]): Promise<void> {
  let life = 0;
  const given: { life: number; position: Position; index: number }[] = [];
  let held: Position[] = [];
  const remember = (position: Position): void => void given.push({ life, position, index: held.length });
  remember((await adapter.read(channel, { last: 0 }, HISTORY)).position);

  for (const current of steps) {
    if (current.kind === 'append') {
      const { position } = await adapter.append({ channel, payload: body(held.length) }, HISTORY);
      held.push(position);
      remember(position);
    } else if (current.kind === 'clear') {
      await adapter.clearHistory(channel);
      life++;
      held = [];
      remember((await adapter.read(channel, { last: 0 }, HISTORY)).position);
    } else {
      const start = given[current.from % given.length]!;
      const read = await adapter.read(channel, { after: start.position }, HISTORY);
      const provable = start.life === life && held.length - start.index <= HISTORY.size;
      expect(read.recovered).toBe(provable);
      expect(read.publications.map(({ position }) => position)).toEqual(provable ? held.slice(start.index) : []);
    }
  }
}
