import * as fc from 'fast-check';
import type { HubCore } from '../../../lib/hub/hub-core';
import { decodeCursor } from '../../../lib/protocol/cursor';
import { GatedAdapter } from './gated-adapter';
import { connect, createHub, type SentMessage, settle } from './hub-kit';
import { StallingConnection } from './stalling-connection';

const ROOM = 'room:a';
const history = (size: number): { channels: Record<string, { history: { size: number; ttl: string } }> } => ({
  channels: { [ROOM]: { history: { size, ttl: '1h' } } },
});

async function createRoom(size = 100): Promise<{ hub: HubCore; gate: GatedAdapter }> {
  const gate = new GatedAdapter();
  const hub = createHub(history(size), gate.adapter);
  await hub.start();
  return { hub, gate };
}

function publish(hub: HubCore, data: unknown): Promise<unknown> {
  const frame = hub.encode({ type: 'm', channel: ROOM, data }, hub.originOf(ROOM));
  return hub.publisher.publish({ channel: ROOM, frame });
}

const dataOf = (messages: SentMessage[]): unknown[] => messages.filter(({ type }) => type === 'm').map(({ data }) => data);
const offsetOf = (cursor: string | undefined): number => decodeCursor(cursor)!.offset;

describe('ChannelJoiner', () => {
  describe('on a channel without history', () => {
    it('answers, and is live', async () => {
      const { hub } = await createRoom();
      const connection = connect(hub);
      await hub.subscribe(connection, 'other', { id: 7, data: { hello: 1 }, cursor: 'e-1-t' });
      expect(connection.messages).toMatchObject([
        { type: 'subscribed', id: 7, channel: 'other', data: { hello: 1 }, recoverable: false, recovered: false },
      ]);
    });

    it('sends what was published during the join after the answer', async () => {
      const { hub, gate } = await createRoom();
      gate.closed = true;
      const connection = connect(hub);
      const joining = hub.subscribe(connection, 'other', {});
      const frame = hub.encode({ type: 'm', channel: 'other', data: 1 });
      await hub.publisher.publish({ channel: 'other', frame });
      gate.answer();
      await joining;
      expect(connection.types).toEqual(['subscribed', 'm']);
    });

    it('begins without a gap: of more than it can hold back it sends nothing that is not followed by all the rest', async () => {
      const { hub, gate } = await createRoom();
      gate.closed = true;
      const connection = connect(hub);
      const joining = hub.subscribe(connection, 'other', {});
      const total = 400;
      for (let data = 1; data <= total; data++) {
        await hub.publisher.publish({ channel: 'other', frame: hub.encode({ type: 'm', channel: 'other', data }) });
      }
      gate.answer();
      await joining;
      await hub.publisher.publish({ channel: 'other', frame: hub.encode({ type: 'm', channel: 'other', data: total + 1 }) });
      const received = dataOf(connection.messages) as number[];
      expect(received).toEqual(Array.from({ length: received.length }, (_, index) => total + 2 - received.length + index));
    });
  });

  describe('on a channel with history', () => {
    it('answers with the position, and without a cursor sends nothing old', async () => {
      const { hub } = await createRoom();
      await publish(hub, 1);
      const connection = connect(hub);
      await hub.subscribe(connection, ROOM, {});
      const [subscribed] = connection.messages;
      expect(connection.messages).toHaveLength(1);
      expect(subscribed).toMatchObject({ type: 'subscribed', recoverable: true });
      expect(subscribed).not.toHaveProperty('recovered');
      expect(offsetOf(subscribed!.cursor)).toBe(1);
    });

    it('replays the last publications', async () => {
      const { hub } = await createRoom();
      for (const data of [1, 2, 3]) await publish(hub, data);
      const connection = connect(hub);
      await hub.subscribe(connection, ROOM, { replay: 2 });
      await publish(hub, 4);
      expect(connection.types[0]).toBe('subscribed');
      expect(dataOf(connection.messages)).toEqual([2, 3, 4]);
    });

    it('continues after a cursor, and gives the cursor back', async () => {
      const { hub } = await createRoom();
      const first = connect(hub, { id: 'first' });
      await hub.subscribe(first, ROOM, {});
      for (const data of [1, 2, 3]) await publish(hub, data);
      const cursor = first.messages[1]!.cursor!;

      const second = connect(hub, { id: 'second' });
      await hub.subscribe(second, ROOM, { cursor, replay: 50 });
      expect(second.messages[0]).toMatchObject({ recovered: true, cursor });
      expect(dataOf(second.messages)).toEqual([2, 3]);
    });

    it.each(['garbage', 'e-1-t', ''])('does not continue after %j, and replays nothing then', async (cursor) => {
      const { hub } = await createRoom();
      for (const data of [1, 2]) await publish(hub, data);
      const connection = connect(hub);
      await hub.subscribe(connection, ROOM, { cursor, replay: 50 });
      expect(connection.messages).toMatchObject([{ type: 'subscribed', recovered: false }]);
      expect(offsetOf(connection.messages[0]!.cursor)).toBe(2);
    });

    it('does not continue after a cursor whose successor was trimmed', async () => {
      const { hub } = await createRoom(2);
      const first = connect(hub, { id: 'first' });
      await hub.subscribe(first, ROOM, {});
      for (const data of [1, 2, 3, 4]) await publish(hub, data);
      const cursors = first.messages.map(({ cursor }) => cursor!);
      for (const [index, recovered] of [false, false, true, true, true].entries()) {
        const connection = connect(hub, { id: `reader ${index}` });
        await hub.subscribe(connection, ROOM, { cursor: cursors[index] });
        expect(connection.messages[0]).toMatchObject({ recovered });
        expect(dataOf(connection.messages)).toEqual(recovered ? [1, 2, 3, 4].slice(index) : []);
      }
    });

    it('answers a second subscribe from where the subscriber is, and repeats nothing', async () => {
      const { hub, gate } = await createRoom();
      const connection = connect(hub);
      await hub.subscribe(connection, ROOM, {});
      await publish(hub, 1);
      gate.closed = true;
      // In the history, and not yet delivered to this instance.
      void publish(hub, 2);
      const again = hub.subscribe(connection, ROOM, { id: 'again', cursor: connection.messages[1]!.cursor });
      gate.answer(1);
      gate.answer();
      await again;
      expect(connection.messages.at(-1)).toMatchObject({ type: 'subscribed', id: 'again', recoverable: true, recovered: false });
      expect(offsetOf(connection.messages.at(-1)!.cursor)).toBe(1);
      gate.letAllThrough();
      expect(dataOf(connection.messages)).toEqual([1, 2]);
    });

    it('lets a second subscribe wait for the first', async () => {
      const { hub, gate } = await createRoom();
      await publish(hub, 1);
      gate.closed = true;
      const connection = connect(hub);
      const both = Promise.all([hub.subscribe(connection, ROOM, { id: 1, replay: 1 }), hub.subscribe(connection, ROOM, { id: 2 })]);
      while (gate.waitingAnswers > 0) {
        gate.letAllThrough();
        await settle();
      }
      await both;
      expect(connection.messages.map(({ type, id }) => [type, id])).toEqual([
        ['subscribed', 1],
        ['m', undefined],
        ['subscribed', 2],
      ]);
      expect(offsetOf(connection.messages[2]!.cursor)).toBe(1);
    });

    it('sends what was held back at the pace of a slow reader', async () => {
      const { hub, gate } = await createRoom();
      const connection = new StallingConnection(hub);
      hub.register(connection);
      gate.closed = true;
      const joining = hub.subscribe(connection, ROOM, {});
      gate.answer();
      await settle();
      // The history has been read; what is published from here on is held back.
      const published = Array.from({ length: 200 }, (_, data) => publish(hub, data));
      gate.deliver(200);
      connection.onFrame = () => connection.stall();
      while (gate.waitingAnswers > 0) {
        gate.letAllThrough();
        await settle();
      }
      await Promise.all(published);
      for (let sent = 1; sent < 201; sent++) {
        expect(connection.frames).toHaveLength(sent);
        connection.catchUp();
        await settle();
      }
      await joining;
      expect(dataOf(connection.messages)).toEqual(Array.from({ length: 200 }, (_, data) => data));
    });

    it('refuses when the history cannot be read, and leaves no subscription behind', async () => {
      const { hub, gate } = await createRoom();
      gate.failing.add('read');
      const connection = connect(hub);
      await expect(hub.subscribe(connection, ROOM, {})).rejects.toThrow('read failed');
      expect(connection.frames).toHaveLength(0);
      expect([connection.channels, hub.channels.size]).toEqual([[], 0]);
    });

    it('refuses when the channel cannot be listened to, and succeeds when it can again', async () => {
      const { hub, gate } = await createRoom();
      gate.failing.add('subscribe');
      const connection = connect(hub);
      await expect(hub.subscribe(connection, ROOM, {})).rejects.toThrow('subscribe failed');
      gate.failing.clear();
      await hub.subscribe(connection, ROOM, {});
      await publish(hub, 1);
      expect(connection.types).toEqual(['subscribed', 'm']);
    });

    it('tells a subscriber that it is off again when the join fails after the answer', async () => {
      const { hub, gate } = await createRoom();
      const connection = new StallingConnection(hub);
      hub.register(connection);
      gate.closed = true;
      const joining = hub.subscribe(connection, ROOM, { id: 1 });
      gate.answer();
      await settle();
      // More than is held back, so that the history must be read once more, which fails.
      void Promise.all(Array.from({ length: 300 }, (_, data) => publish(hub, data)));
      gate.deliver(300);
      gate.failing.add('read');
      const again = hub.subscribe(connection, ROOM, { id: 2 }).catch(String);
      while (gate.waitingAnswers > 0) {
        gate.letAllThrough();
        await settle();
      }
      expect(connection.messages[0]).toMatchObject({ type: 'subscribed', id: 1 });
      expect(connection.messages.at(-1)).toMatchObject({ type: 'unsubscribed', channel: ROOM, data: { code: 4010 } });
      expect(connection.channels).toEqual([]);
      // Each has one answer: the first had it before, and the second gets it from whoever asked on its behalf.
      expect(await Promise.all([joining, again])).toEqual([true, 'Error: read failed']);
    });

    it('answers a second subscribe with the failure when nothing had been answered to it, beside telling that it is off', async () => {
      const { hub, gate } = await createRoom();
      const connection = connect(hub);
      await hub.subscribe(connection, ROOM, {});
      const cursor = connection.messages[0]!.cursor;
      gate.failing.add('read');
      await expect(hub.subscribe(connection, ROOM, { id: 2, cursor })).rejects.toThrow('read failed');
      expect(connection.types).toEqual(['subscribed', 'unsubscribed']);
      expect(connection.channels).toEqual([]);
    });

    it('sends nothing to a subscriber that has left during the join', async () => {
      const { hub, gate } = await createRoom();
      await publish(hub, 1);
      gate.closed = true;
      const connection = connect(hub);
      const joining = hub.subscribe(connection, ROOM, { replay: 1 });
      gate.answer();
      await settle();
      hub.unsubscribe(connection, ROOM);
      gate.letAllThrough();
      await joining;
      expect(connection.frames).toHaveLength(0);
    });
  });

  it('tells nobody of the end of a subscription that it was not told of', async () => {
    const { hub } = await createRoom();
    const connection = connect(hub);
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(hub.subscribe(connection, ROOM, { data: circular })).rejects.toMatchObject({ name: 'SerializationError' });
    expect(connection.messages).toEqual([]);
    expect(connection.channels).toEqual([]);
  });

  describe('whatever comes between', () => {
    type Step =
      | { kind: 'publish'; count: number }
      | { kind: 'answer'; pick: number }
      | { kind: 'deliver'; count: number }
      | { kind: 'subscribe'; client: number; from: 'now' | 'replay' | 'cursor' }
      | { kind: 'unsubscribe' | 'stall' | 'catchUp'; client: number };

    const client = fc.nat(1);
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.constantFrom(1, 1, 2, 150) }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(5) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), count: fc.constantFrom(1, 2, 500) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), client, from: fc.constantFrom('now' as const, 'replay' as const, 'cursor' as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('unsubscribe' as const, 'stall' as const, 'catchUp' as const), client }) },
    );
    const REPLAY = 3;

    /** A client that trusts the protocol, and notes where it was wrong to. */
    class Client {
      readonly connection: StallingConnection;
      readonly faults: string[] = [];
      private readonly outstanding = new Map<number, string | undefined>();
      private nextId = 0;
      private read = 0;
      /** Offset of the publication that has to come next; undefined while not subscribed. */
      next: number | undefined;
      cursor: string | undefined;

      constructor(
        private readonly hub: HubCore,
        private readonly size: number,
        id: string,
      ) {
        this.connection = new StallingConnection(hub, { id });
        hub.register(this.connection);
        this.connection.onFrame = () => this.take(this.connection.messages[this.read++]!);
      }

      subscribe(from: 'now' | 'replay' | 'cursor'): void {
        const id = this.nextId++;
        this.outstanding.set(id, from);
        const cursor = from === 'cursor' ? this.cursor : undefined;
        const replay = from === 'replay' ? REPLAY : undefined;
        if (from === 'cursor' && cursor === undefined) this.outstanding.set(id, 'now');
        this.hub.subscribe(this.connection, ROOM, { id, cursor, replay }).catch((error: unknown) => this.faults.push(String(error)));
      }

      unsubscribe(): void {
        this.hub.unsubscribe(this.connection, ROOM);
        this.outstanding.clear();
        this.next = undefined;
      }

      private take(message: SentMessage): void {
        if (message.type === 'subscribed') this.subscribed(message);
        else if (message.type === 'reset') this.next = offsetOf(message.cursor) + 1;
        else this.publication(message);
        if (message.cursor !== undefined) this.cursor = message.cursor;
      }

      private subscribed({ id, cursor, recovered }: SentMessage): void {
        const from = this.outstanding.get(id as number);
        if (from === undefined) this.faults.push(`an answer to nobody: ${id}`);
        this.outstanding.delete(id as number);
        const position = offsetOf(cursor);
        if (this.next !== undefined) {
          if (position !== this.next - 1) this.faults.push(`answered again with ${position}, but ${this.next} comes next`);
        } else if (recovered === true && cursor !== this.cursor) {
          this.faults.push('recovered from a cursor that is not its own');
        } else {
          this.next = position + 1 - (from === 'replay' ? Math.min(REPLAY, this.size, position) : 0);
        }
      }

      private publication({ cursor, data }: SentMessage): void {
        const offset = offsetOf(cursor);
        if (offset !== data) this.faults.push(`publication ${String(data)} has the offset ${offset}`);
        if (offset !== this.next) this.faults.push(`${this.next} had to come next, ${offset} came`);
        this.next = offset + 1;
      }
    }

    it.each([2000, 4])('loses and repeats nothing, with a history of %d', async (size) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const { hub, gate } = await createRoom(size);
          gate.closed = true;
          const clients = ['a', 'b'].map((id) => new Client(hub, size, id));
          const published: Promise<unknown>[] = [];
          const act = (next: Step): void => {
            if (next.kind === 'publish') for (let i = 0; i < next.count; i++) published.push(publish(hub, published.length + 1));
            else if (next.kind === 'answer') gate.answer(next.pick);
            else if (next.kind === 'deliver') gate.deliver(next.count);
            else if (next.kind === 'subscribe') clients[next.client]!.subscribe(next.from);
            else if (next.kind === 'unsubscribe') clients[next.client]!.unsubscribe();
            else clients[next.client]!.connection[next.kind]();
          };
          for (const next of steps) {
            act(next);
            await settle();
          }
          for (const { connection } of clients) connection.catchUp();
          do await settle();
          while (gate.letAllThrough());
          await Promise.all(published);

          const ends = clients.map(({ next, connection }) => (connection.subscriptions.has(ROOM) ? next : 'left'));
          const expected = clients.map(({ connection }) => (connection.subscriptions.has(ROOM) ? published.length + 1 : 'left'));
          expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
          expect(ends).toEqual(expected);
        }),
        { numRuns: 150 },
      );
    });
  });
});
