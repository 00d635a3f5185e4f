import { clusterSlot } from '../../../../lib/adapter/redis/connection/cluster-slot';
import { readClusterSlots } from '../../../../lib/adapter/redis/connection/cluster-slots';
import { RedisNames } from '../../../../lib/adapter/redis/redis-names';

describe('slots of a cluster', () => {
  // From the Redis Cluster specification and `CLUSTER KEYSLOT`.
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['{user1000}.following', 3443],
    ['{user1000}.followers', 3443],
    ['', 0],
  ])('%j is in slot %d', (key, slot) => {
    expect(clusterSlot(key)).toBe(slot);
  });

  it('take an empty hash tag for none', () => {
    expect(clusterSlot('foo{}{bar}')).not.toBe(clusterSlot('bar'));
    expect(clusterSlot('foo{{bar}}zap')).toBe(clusterSlot('{bar'));
  });

  it.each(['channels', 'rooms', { broadcast: 'all', channel: (name: string) => `{app}:${name}` }] as const)(
    'are the same for everything of a channel (%j)',
    (naming) => {
      const names = new RedisNames('realtime', naming);
      for (const channel of ['room:a', 'x']) {
        const pubSub = names.channel(channel);
        const keys = [names.historyPosition(pubSub), names.historyStream(pubSub), names.presence(pubSub)];
        expect(keys.map(clusterSlot)).toEqual(keys.map(() => clusterSlot(pubSub)));
      }
    },
  );

  it('are read from a node that does not know its own address, too', () => {
    const reply = [
      [0, 99, [Buffer.from('10.0.0.1'), 7000, Buffer.from('id')], [Buffer.from('10.0.0.2'), 7001]],
      [100, 16383, [null, 7002]],
    ];
    expect(readClusterSlots(reply, 'asked')).toEqual([
      { from: 0, to: 99, node: { host: '10.0.0.1', port: 7000 } },
      { from: 100, to: 16383, node: { host: 'asked', port: 7002 } },
    ]);
    expect(() => readClusterSlots([], 'asked')).toThrow('serves no slots');
  });
});
