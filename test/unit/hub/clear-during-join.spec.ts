import * as fc from 'fast-check';
import type { HubCore } from '../../../lib/hub/hub-core';
import { decodeCursor } from '../../../lib/protocol/cursor';
import { GatedAdapter } from './gated-adapter';
import { connect, createHub, type RecordingConnection, settle } from './hub-kit';

const ROOM = 'room:a';

async function createRoom(): Promise<{ hub: HubCore; gate: GatedAdapter }> {
  const gate = new GatedAdapter();
  const hub = createHub({ channels: { [ROOM]: { history: { size: 5, ttl: '1h' } } } }, gate.adapter);
  await hub.start();
  return { hub, gate };
}

function publish(hub: HubCore, data: unknown): Promise<unknown> {
  return hub.publisher.publish({ channel: ROOM, frame: hub.encode({ type: 'm', channel: ROOM, data }, hub.originOf(ROOM)) });
}

const dataOf = ({ messages }: RecordingConnection): unknown[] => messages.filter(({ type }) => type === 'm').map(({ data }) => data);

describe('a history that is cleared during a join', () => {
  it('does not let publications of its last life follow a position of the next', async () => {
    const { hub, gate } = await createRoom();
    const connection = connect(hub);
    gate.closed = true;
    const joining = hub.subscribe(connection, ROOM, {});
    // Held back before the history is read, which then tells of the next life.
    void publish(hub, 'old');
    gate.deliver(1);
    await hub.adapter.clearHistory(ROOM);
    while (gate.letAllThrough()) await settle();
    await joining;
    gate.closed = false;
    await publish(hub, 'new');
    const cursors = connection.messages.map(({ cursor }) => decodeCursor(cursor)!);
    expect(new Set(cursors.map(({ epoch }) => epoch)).size).toBe(1);
    expect(dataOf(connection)).toEqual(['new']);
  });

  type Step =
    | { kind: 'publish' | 'clear' | 'leave' | 'deliver' | 'answer' | 'idle' }
    | { kind: 'subscribe' | 'again'; from: number };
  const plain = (kind: 'publish' | 'clear' | 'leave' | 'deliver' | 'answer' | 'idle', weight: number) => ({
    weight,
    arbitrary: fc.constant<Step>({ kind }),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    plain('publish', 6), plain('clear', 1), plain('leave', 1), plain('deliver', 4), plain('answer', 4), plain('idle', 3),
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('subscribe' as const, 'again' as const), from: fc.nat(20) }) },
  );

  it('neither repeats nor disorders anything, and claims no recovery that is none, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { hub, gate } = await createRoom();
        const run = new Run(hub, gate);
        gate.closed = true;
        for (const current of steps) await run.do(current);
        await run.finish();
        expect(run.faults()).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  /** One client after another, each with a cursor that one before it was given. */
  class Run {
    private count = 0;
    private readonly lives: number[] = [];
    private life = 0;
    private readonly clients: RecordingConnection[] = [];
    private readonly joins: Promise<unknown>[] = [];
    /** How many publications came before each cursor. */
    private readonly seenBefore = new Map<string, number>();

    constructor(
      private readonly hub: HubCore,
      private readonly gate: GatedAdapter,
    ) {}

    async do(current: Step): Promise<void> {
      const newest = this.clients.at(-1);
      if (current.kind === 'publish') this.publish();
      else if (current.kind === 'deliver') this.gate.deliver(1);
      else if (current.kind === 'answer') this.gate.answer();
      else if (current.kind === 'idle') await settle();
      else if (current.kind === 'leave') newest?.close(1000);
      else if (current.kind === 'clear') await this.clear();
      else if (current.kind === 'again' && newest?.open) this.subscribe(newest, current.from);
      else this.subscribe(this.connect(), 'from' in current ? current.from : 0);
    }

    async finish(): Promise<void> {
      do await settle();
      while (this.gate.letAllThrough());
      await Promise.all(this.joins);
    }

    faults(): string[] {
      return this.clients.flatMap((client, index) => this.faultsOf(client).map((fault) => `client ${index}: ${fault}`));
    }

    private faultsOf({ messages }: RecordingConnection): string[] {
      const faults: string[] = [];
      let next: number | undefined;
      for (const { type, data, recovered, cursor } of messages) {
        if (type === 'subscribed' && recovered) next = this.seenBefore.get(cursor!)! + 1;
        if (type === 'reset') next = undefined;
        if (type !== 'm') continue;
        const n = data as number;
        const isCleared = next !== undefined && this.lives[n] !== this.lives[next];
        if (next !== undefined && (isCleared ? n < next : n !== next)) faults.push(`${n} came, ${next} was next`);
        next = n + 1;
      }
      return faults;
    }

    private publish(): void {
      const n = this.count++;
      this.lives.push(this.life);
      void this.hub.publisher
        .publish({ channel: ROOM, frame: this.hub.encode({ type: 'm', channel: ROOM, data: n }, this.hub.originOf(ROOM)) })
        .then(({ cursor }) => this.seenBefore.set(cursor!, n));
    }

    private async clear(): Promise<void> {
      await this.hub.adapter.clearHistory(ROOM);
      this.life++;
    }

    private connect(): RecordingConnection {
      const connection = connect(this.hub, { id: `c${this.clients.length}` });
      this.clients.push(connection);
      return connection;
    }

    private subscribe(connection: RecordingConnection, from: number): void {
      const cursors = [...this.seenBefore.keys()];
      const cursor = cursors.length === 0 || from === 0 ? undefined : cursors[from % cursors.length];
      this.joins.push(this.hub.subscribe(connection, ROOM, { cursor }));
    }
  }
});
