import * as fc from 'fast-check';
import { PresenceList } from '../../../lib/client/presence-list';
import type { Channel, PresenceMember } from '../../../lib/client';
import { type TestClient, connected } from './support/client';

const member = (connectionId: string, user: string | null = connectionId): PresenceMember => ({ connectionId, user, info: null });

async function joined(): Promise<{ test: TestClient; room: Channel }> {
  const test = await connected();
  const room = test.client.channel('room:a');
  void room.subscribe();
  await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
  return { test, room };
}

async function answer(test: TestClient, ...members: PresenceMember[]): Promise<void> {
  const { id } = test.socket.sentOf('presence').at(-1)!;
  const data = { members, count: members.length, users: members.length };
  await test.socket.receive({ type: 'presence', id, channel: 'room:a', data });
}

describe('presence()', () => {
  it('is one list that is read once and kept in step from then on', async () => {
    const { test, room } = await joined();
    const members = room.presence();
    expect(members).toEqual([]);
    await answer(test, member('c1'), member('c2'));
    expect(members).toEqual([member('c1'), member('c2')]);
    await test.socket.receive(
      { type: 'join', channel: 'room:a', data: member('c3') },
      { type: 'leave', channel: 'room:a', data: member('c1') },
    );
    expect(members).toEqual([member('c2'), member('c3')]);
    expect(room.presence()).toBe(members);
    expect(test.socket.sentOf('presence')).toHaveLength(1);
  });

  it('tells of every change, with a copy that stays as it is', async () => {
    const { test, room } = await joined();
    const seen: string[][] = [];
    const lists: (readonly PresenceMember[])[] = [];
    room.on('presence', (members) => {
      seen.push(members.map(({ connectionId }) => connectionId));
      lists.push(members);
    });
    room.presence();
    await answer(test, member('c1'));
    await test.socket.receive({ type: 'join', channel: 'room:a', data: member('c2') });
    expect(seen).toEqual([['c1'], ['c1', 'c2']]);
    expect(lists[0]).toEqual([member('c1')]);
  });

  it('tells of joins and leaves also where nobody asked for the list', async () => {
    const { test, room } = await joined();
    const seen: unknown[] = [];
    room.on('join', ({ user }) => seen.push(['join', user]));
    room.on('leave', ({ user }) => seen.push(['leave', user]));
    room.on('presence', () => seen.push('presence'));
    await test.socket.receive(
      { type: 'join', channel: 'room:a', data: member('c1', 'ann') },
      { type: 'leave', channel: 'room:a', data: member('c1', 'ann') },
    );
    expect(seen).toEqual([['join', 'ann'], ['leave', 'ann']]);
    expect(test.socket.sentOf('presence')).toEqual([]);
  });

  it('may be asked for before the subscription', async () => {
    const test = await connected();
    const room = test.client.channel('room:a');
    const members = room.presence();
    expect(test.socket.sent).toEqual([]);
    void room.subscribe();
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    await answer(test, member('c1'));
    expect(members).toEqual([member('c1')]);
  });

  it('is read again after a reconnection and after a gap', async () => {
    const { test, room } = await joined();
    const members = room.presence();
    await answer(test, member('c1'));
    await test.socket.end();
    expect(members).toEqual([member('c1')]);
    await (await test.reconnect()).welcome();
    await test.socket.receive({ type: 'subscribed', id: test.socket.sent[0]!.id, channel: 'room:a' });
    await answer(test, member('c2'));
    expect(members).toEqual([member('c2')]);
    await test.socket.receive({ type: 'reset', channel: 'room:a', cursor: 'c9' });
    expect(test.socket.sentOf('presence')).toHaveLength(2);
    await answer(test, member('c3'));
    expect(members).toEqual([member('c3')]);
  });

  it('applies what changed while the list was read', async () => {
    const { test, room } = await joined();
    const members = room.presence();
    await test.socket.receive(
      { type: 'leave', channel: 'room:a', data: member('c1') },
      { type: 'join', channel: 'room:a', data: member('c2') },
    );
    await answer(test, member('c1'));
    expect(members).toEqual([member('c2')]);
  });

  it('is empty after the subscription has ended, also when an answer comes late', async () => {
    const { test, room } = await joined();
    const members = room.presence();
    await answer(test, member('c1'));
    await test.socket.receive({ type: 'reset', channel: 'room:a', cursor: 'c9' });
    room.unsubscribe();
    expect(members).toEqual([]);
    await answer(test, member('c1'));
    expect(members).toEqual([]);
  });

  it('reports an error of the server, and keeps what is known', async () => {
    const { test, room } = await joined();
    const members = room.presence();
    await answer(test, member('c1'));
    await test.socket.receive({ type: 'reset', channel: 'room:a', cursor: 'c9' });
    const { id } = test.socket.sentOf('presence').at(-1)!;
    await test.socket.receive({ type: 'error', id, channel: 'room:a', data: { code: 'forbidden', message: 'no presence' } });
    expect(test.errors).toEqual([expect.objectContaining({ code: 'forbidden' })]);
    expect(members).toEqual([member('c1')]);
  });
});

describe('the list of members', () => {
  const change = fc.tuple(fc.constantFrom('join' as const, 'leave' as const), fc.constantFrom('a', 'b', 'c', 'd'));

  it('agrees with the server, whenever in the order of changes the list is read', () => {
    fc.assert(
      fc.property(fc.array(change), fc.nat(), fc.nat(), (changes, asked, read) => {
        const server = new Set<string>();
        const list = new PresenceList();
        const begin = asked % (changes.length + 1);
        // The server reads its list at some time after it was asked; the answer arrives behind the changes of then.
        const answered = begin + (read % (changes.length - begin + 1));
        let snapshot: string[] = [];
        for (let i = 0; i <= changes.length; i++) {
          if (i === begin) list.begin();
          if (i === answered) snapshot = [...server];
          if (i === answered) list.end(snapshot.map((id) => member(id)));
          const next = changes[i];
          if (!next) continue;
          const [type, id] = next;
          if (type === 'join') server.add(id);
          else server.delete(id);
          list.apply(type, member(id));
        }
        expect(list.list.map(({ connectionId }) => connectionId).toSorted()).toEqual([...server].toSorted());
      }),
    );
  });

  it('agrees with the server when the list is older than changes that arrived before it', () => {
    fc.assert(
      fc.property(fc.array(change), fc.nat(), fc.nat(), (changes, readAt, arrivesAt) => {
        const server = new Set<string>();
        const list = new PresenceList();
        list.begin();
        const read = readAt % (changes.length + 1);
        const arrives = read + (arrivesAt % (changes.length - read + 1));
        let snapshot: string[] = [];
        for (let i = 0; i <= changes.length; i++) {
          if (i === read) snapshot = [...server];
          if (i === arrives) list.end(snapshot.map((id) => member(id)));
          const next = changes[i];
          if (!next) continue;
          const [type, id] = next;
          if (type === 'join') server.add(id);
          else server.delete(id);
          list.apply(type, member(id));
        }
        expect(list.list.map(({ connectionId }) => connectionId).toSorted()).toEqual([...server].toSorted());
      }),
    );
  });
});
