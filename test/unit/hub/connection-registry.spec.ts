import * as fc from 'fast-check';
import type { Connection } from '../../../lib/hub/connection';
import { ConnectionRegistry } from '../../../lib/hub/connection-registry';
import { Frame } from '../../../lib/hub/frame';
import { RecordingConnection } from './hub-kit';

const hub = { encode: () => Frame.fromText('{}') };

function connectionOf(id: string, userId?: string): Connection {
  return new RecordingConnection(hub, { id, user: userId === undefined ? undefined : { id: userId, claims: {} } });
}

describe('ConnectionRegistry', () => {
  it('finds connections by id and by user', () => {
    const registry = new ConnectionRegistry();
    const [first, second, anonymous] = [connectionOf('1', 'alice'), connectionOf('2', 'alice'), connectionOf('3')];
    for (const connection of [first, second, anonymous]) registry.add(connection);

    expect(registry.get('1')).toBe(first);
    expect(registry.find({ connectionId: '3' })).toEqual([anonymous]);
    expect(registry.find({ userId: 'alice' })).toEqual([first, second]);
    expect(registry.find({ userId: 'bob' })).toEqual([]);
    expect(registry.find({ connectionId: '9' })).toEqual([]);
    expect([registry.size, registry.countOfUser('alice'), registry.countOfUser('bob')]).toEqual([3, 2, 0]);
  });

  it('removes a connection once', () => {
    const registry = new ConnectionRegistry();
    const connection = connectionOf('1', 'alice');
    registry.add(connection);
    expect([registry.remove(connection), registry.remove(connection)]).toEqual([true, false]);
    expect([registry.size, registry.countOfUser('alice'), registry.has(connection)]).toEqual([0, 0, false]);
  });

  it('keeps nothing of a connection whose user the application has replaced', () => {
    const registry = new ConnectionRegistry();
    for (const user of [{ id: 'bob', claims: {} }, undefined]) {
      const connection = connectionOf('1', 'alice');
      registry.add(connection);
      connection.user = user;
      expect(registry.find({ userId: 'alice' })).toEqual([connection]);
      expect(registry.remove(connection)).toBe(true);
      expect([registry.countOfUser('alice'), registry.find({ userId: 'alice' })]).toEqual([0, []]);
    }
  });

  it('does not take another connection with the same id for the one it has', () => {
    const registry = new ConnectionRegistry();
    const connection = connectionOf('1');
    registry.add(connection);
    expect([registry.has(connectionOf('1')), registry.remove(connectionOf('1')), registry.size]).toEqual([false, false, 1]);
  });

  it('lets connections be ended while they are walked', () => {
    const registry = new ConnectionRegistry();
    for (let i = 0; i < 5; i++) registry.add(connectionOf(String(i), 'alice'));
    for (const connection of registry.find({ userId: 'alice' })) registry.remove(connection);
    expect(registry.size).toBe(0);
  });

  it('forgets users that have no connection, and counts those of each right', () => {
    const users = ['alice', 'bob', undefined];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(8)), { maxLength: 50 }), (steps) => {
        const registry = new ConnectionRegistry();
        const connections = Array.from({ length: 9 }, (_, index) => connectionOf(String(index), users[index % 3]));
        const present = new Set<Connection>();
        let sound = true;
        for (const [adds, index] of steps) {
          const connection = connections[index]!;
          if (!adds) {
            sound &&= registry.remove(connection) === present.delete(connection);
          } else if (!present.has(connection)) {
            present.add(connection);
            registry.add(connection);
          }
        }
        expect(sound).toBe(true);
        expect(new Set(registry.values())).toEqual(present);
        for (const userId of ['alice', 'bob']) {
          const expected = [...present].filter(({ user }) => user?.id === userId);
          expect(new Set(registry.find({ userId }))).toEqual(new Set(expected));
          expect(registry.countOfUser(userId)).toBe(expected.length);
        }
      }),
    );
  });
});
