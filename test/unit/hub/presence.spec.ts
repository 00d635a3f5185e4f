import * as fc from 'fast-check';
import type { HubCore } from '../../../lib/hub/hub-core';
import { GatedAdapter } from './gated-adapter';
import { connect, settle, startHub } from './hub-kit';
import { SerializationError } from '../../../lib/hub/hub.errors';

const ROOM = 'room:a';
const PRESENCE = { channels: { 'room:*': { presence: true }, 'quiet:*': { presence: { announce: false } }, 'kept:*': { presence: true, history: { size: 5, ttl: '1h' } } } };

async function memberIds(hub: HubCore, channel = ROOM): Promise<string[]> {
  return (await hub.presence.snapshot(channel)).members.map(({ connectionId }) => connectionId).toSorted();
}

describe('Presence', () => {
  it('tells the others who comes and goes, and not the one itself', async () => {
    const hub = await startHub(PRESENCE);
    const [alice, bob] = [connect(hub, { id: 'a', user: { id: 'alice', claims: {} } }), connect(hub, { id: 'b' })];
    alice.info = { name: 'Alice' };
    await hub.subscribe(bob, ROOM, {});
    await hub.subscribe(alice, ROOM, {});
    hub.unsubscribe(alice, ROOM);
    await settle();

    const member = { connectionId: 'a', user: 'alice', info: { name: 'Alice' } };
    expect(bob.messages.slice(1)).toMatchObject([
      { type: 'join', channel: ROOM, data: member },
      { type: 'leave', channel: ROOM, data: member },
    ]);
    expect(alice.types).toEqual(['subscribed']);
  });

  it('tells of a connection that ends, once', async () => {
    const hub = await startHub(PRESENCE);
    const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
    await hub.subscribe(a!, ROOM, {});
    await hub.subscribe(b!, ROOM, {});
    a!.close();
    a!.close();
    await settle();
    expect(b!.types).toEqual(['subscribed', 'leave']);
    expect(await memberIds(hub)).toEqual(['b']);
  });

  it('counts connections, users and the nameless', async () => {
    const hub = await startHub(PRESENCE);
    const user = { id: 'alice', claims: {} };
    for (const init of [{ id: 'a', user }, { id: 'b', user }, { id: 'c' }, { id: 'd' }]) await hub.subscribe(connect(hub, init), ROOM, {});
    expect(await hub.presence.snapshot(ROOM)).toMatchObject({ count: 4, users: 3 });
  });

  it('keeps no presence where none is asked for', async () => {
    const hub = await startHub(PRESENCE);
    await hub.subscribe(connect(hub), 'other', {});
    expect(hub.presence.isKept('other')).toBe(false);
    expect(await hub.presence.snapshot('other')).toEqual({ members: [], count: 0, users: 0 });
  });

  it('keeps it quiet when told to', async () => {
    const hub = await startHub(PRESENCE);
    const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
    await hub.subscribe(a!, 'quiet:a', {});
    await hub.subscribe(b!, 'quiet:a', {});
    b!.close();
    await settle();
    expect(a!.types).toEqual(['subscribed']);
    expect(await memberIds(hub, 'quiet:a')).toEqual(['a']);
  });

  it('leaves no trace of joins in the history', async () => {
    const hub = await startHub(PRESENCE);
    const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
    await hub.subscribe(a!, 'kept:a', {});
    await hub.subscribe(b!, 'kept:a', { replay: 10 });
    await settle();
    expect(a!.types).toEqual(['subscribed', 'join']);
    expect(a!.messages[1]).not.toHaveProperty('cursor');
    expect(b!.types).toEqual(['subscribed']);
  });

  it('announces a subscriber once, however often it subscribes', async () => {
    const hub = await startHub(PRESENCE);
    const [a, b] = ['a', 'b'].map((id) => connect(hub, { id }));
    await hub.subscribe(a!, ROOM, {});
    for (let i = 0; i < 3; i++) await hub.subscribe(b!, ROOM, {});
    expect(a!.types).toEqual(['subscribed', 'join']);
  });

  it('does not fail a subscription that it cannot note', async () => {
    const gate = new GatedAdapter();
    const hub = await startHub(PRESENCE, gate.adapter);
    gate.failing.add('addMember').add('removeMember');
    const connection = connect(hub);
    await hub.subscribe(connection, ROOM, {});
    expect([connection.types, connection.channels]).toEqual([['subscribed'], [ROOM]]);
    connection.close();
    await hub.lifecycle.settled();
  });

  it('takes no info without a JSON form, and copies what it takes', async () => {
    const hub = await startHub(PRESENCE);
    const connection = connect(hub);
    for (const info of [{ count: 1n }, () => 1, Symbol('x')]) expect(() => (connection.info = info)).toThrow(SerializationError);
    const info = { name: 'Ann', since: new Date(0), friend: undefined as unknown };
    connection.info = info;
    info.friend = 1n;
    await hub.subscribe(connection, ROOM, {});
    expect((await hub.presence.snapshot(ROOM)).members).toEqual([
      { connectionId: 'c1', user: null, info: { name: 'Ann', since: '1970-01-01T00:00:00.000Z' } },
    ]);
    connection.info = undefined;
    expect(connection.info).toBeUndefined();
  });

  it('has in the end just those that are subscribed, however subscribing and leaving overlap', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('subscribe' as const, 'unsubscribe' as const), who: fc.nat(1) }),
      fc.record({ kind: fc.constant('answer' as const), who: fc.nat(4) }),
      fc.record({ kind: fc.constant('close' as const), who: fc.constant(1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const gate = new GatedAdapter();
        const hub = await startHub(PRESENCE, gate.adapter);
        gate.closed = true;
        const connections = ['a', 'b'].map((id) => connect(hub, { id }));
        for (const { kind, who } of steps) {
          if (kind === 'answer') gate.answer(who);
          else if (kind === 'subscribe') void hub.subscribe(connections[who]!, ROOM, {});
          else if (kind === 'unsubscribe') hub.unsubscribe(connections[who]!, ROOM);
          else connections[who]!.close();
          await settle();
        }
        do await settle();
        while (gate.letAllThrough());
        const subscribed = connections.filter((connection) => connection.subscriptions.has(ROOM)).map(({ id }) => id);
        expect(await memberIds(hub)).toEqual(subscribed);
      }),
      { numRuns: 300 },
    );
  });
});
