import type { HubCore } from '../../../lib/hub/hub-core';
import { decodeCursor, type Position } from '../../../lib/protocol/cursor';
import { GatedAdapter } from './gated-adapter';
import { connect, createHub, RecordingConnection, settle } from './hub-kit';

const ROOM = 'room:a';
const HISTORY = { size: 100, ttl: 60_000 };

async function createRoom(): Promise<{ hub: HubCore; gate: GatedAdapter }> {
  const gate = new GatedAdapter();
  const hub = createHub({ channels: { [ROOM]: { history: { size: 100, ttl: '1m' } } } }, gate.adapter);
  await hub.start();
  return { hub, gate };
}

const publish = (hub: HubCore, data: unknown): Promise<unknown> =>
  hub.publisher.publish({ channel: ROOM, frame: hub.encode({ type: 'm', channel: ROOM, data }, hub.originOf(ROOM)) });

/** Takes one frame, and the next only when it is told to. */
class SlowConnection extends RecordingConnection {
  private wake: (() => void) | undefined;
  private full = false;

  override get writable(): boolean {
    return !this.full;
  }

  override whenWritable(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  fill(): void {
    this.full = true;
  }

  drain(): void {
    this.full = false;
    this.wake?.();
  }
}

describe('continuity that is lost', () => {
  /** The store loses everything; the adapter says where the channel goes on. */
  async function lose(hub: HubCore, gate: GatedAdapter): Promise<Position> {
    await gate.adapter.clearHistory(ROOM);
    const { closed } = gate;
    gate.closed = false;
    const { position } = await gate.adapter.read(ROOM, { last: 0 }, HISTORY);
    gate.closed = closed;
    hub.commands.reset(ROOM, position);
    return position;
  }

  it('while the history is read makes the join read again: what it had read proves nothing', async () => {
    const { hub, gate } = await createRoom();
    const reader = connect(hub, { id: 'reader' });
    await hub.subscribe(reader, ROOM, {});
    await publish(hub, 1);
    const { cursor } = reader.messages[0]!;

    const connection = connect(hub);
    gate.closed = true;
    const joining = hub.subscribe(connection, ROOM, { cursor });
    gate.answer();
    await settle();
    expect(gate.waitingAnswers).toBe(1);
    const position = await lose(hub, gate);
    while (gate.waitingAnswers > 0) {
      gate.letAllThrough();
      await settle();
    }
    await joining;
    gate.closed = false;
    await publish(hub, 2);
    expect(connection.messages).toMatchObject([
      { type: 'subscribed', recovered: false },
      { type: 'm', data: 2 },
    ]);
    expect(decodeCursor(connection.messages[0]!.cursor)).toEqual(position);
  });

  it('while what was missed is sent ends that, and the client is told where it goes on', async () => {
    const { hub, gate } = await createRoom();
    for (const data of [1, 2, 3]) await publish(hub, data);
    const connection = new SlowConnection(hub);
    hub.register(connection);
    connection.onFrame = () => connection.fill();
    const joining = hub.subscribe(connection, ROOM, { replay: 3 });
    await settle();
    connection.drain();
    await settle();
    expect(connection.types).toEqual(['subscribed', 'm']);
    await lose(hub, gate);
    await publish(hub, 4);
    for (let i = 0; i < 4; i++) {
      connection.drain();
      await settle();
    }
    await joining;
    expect(connection.messages).toMatchObject([{ type: 'subscribed' }, { data: 1 }, { type: 'reset' }, { data: 4 }]);
  });

  it('right after the join takes no place that is given away again for a repeat', async () => {
    const { hub } = await createRoom();
    for (const data of [1, 2, 3]) await publish(hub, data);
    const connection = connect(hub);
    await hub.subscribe(connection, ROOM, {});
    const { epoch } = decodeCursor(connection.messages[0]!.cursor)!;
    const kept = { epoch, offset: 1, tag: 'kept' };
    hub.commands.reset(ROOM, kept);
    const frame = hub.encode({ type: 'm', channel: ROOM, data: 'another second' }, hub.originOf(ROOM));
    hub.channels.get(ROOM)!.fanOut(frame, { epoch, offset: 2, tag: 'another' });
    expect(connection.types).toEqual(['subscribed', 'reset', 'm']);
  });

  it('moves where the subscriber is, as a second subscribe is told', async () => {
    const { hub } = await createRoom();
    const connection = connect(hub);
    await hub.subscribe(connection, ROOM, {});
    hub.commands.reset(ROOM, { epoch: 'e', offset: 7, tag: 't' });
    await hub.subscribe(connection, ROOM, {});
    expect(connection.messages.at(-1)).toMatchObject({ type: 'subscribed', cursor: 'e-7-t' });
  });
});
