import * as fc from 'fast-check';
import type { HubAdapter } from '../../../lib/adapter/hub-adapter';
import { ChannelRegistry } from '../../../lib/hub/channel-registry';
import { ChannelRules } from '../../../lib/hub/channel-settings';
import { FlushScheduler } from '../../../lib/hub/flush-scheduler';
import { Frame } from '../../../lib/hub/frame';
import { createMemoryAdapter, RecordingConnection, settle } from './hub-kit';

const hub = { encode: () => Frame.fromText('{}') };

/** Writes down the interest that the registry shows. */
function observe(adapter: HubAdapter, interest: Set<string>, calls: string[] = []): HubAdapter {
  return Object.assign(Object.create(adapter) as HubAdapter, {
    subscribe: (channel: string) => {
      calls.push(`+${channel}`);
      interest.add(channel);
      return adapter.subscribe(channel);
    },
    unsubscribe: (channel: string) => {
      calls.push(`-${channel}`);
      interest.delete(channel);
    },
  });
}

function createRegistry(adapter: HubAdapter): ChannelRegistry {
  const rules = new ChannelRules({ history: undefined, presence: undefined, policy: 'disconnect' });
  return new ChannelRegistry(rules, adapter, new FlushScheduler());
}

describe('ChannelRegistry', () => {
  it('has a channel from its first subscriber to its last, and tells the adapter of these two alone', () => {
    const calls: string[] = [];
    const registry = createRegistry(observe(createMemoryAdapter(), new Set(), calls));
    const [a, b] = ['a', 'b'].map((id) => registry.add(new RecordingConnection(hub, { id }), 'room'));
    expect(registry.get('room')?.size).toBe(2);
    registry.remove(a!);
    expect([registry.size, registry.subscriptions]).toEqual([1, 1]);
    registry.remove(b!);
    expect(registry.get('room')).toBeUndefined();
    expect(calls).toEqual(['+room', '-room']);
  });

  it('does not let an interest that fails become an unhandled rejection', async () => {
    const adapter = Object.assign(createMemoryAdapter(), { subscribe: () => Promise.reject(new Error('down')) });
    const registry = createRegistry(adapter);
    const subscription = registry.add(new RecordingConnection(hub), 'room');
    await settle();
    await expect(subscription.channel.interest).rejects.toThrow('down');
  });

  it('leaves a newer subscription to the channel alone when an older one is removed again', () => {
    const registry = createRegistry(createMemoryAdapter());
    const connection = new RecordingConnection(hub);
    const older = registry.add(connection, 'room');
    registry.remove(older);
    const newer = registry.add(connection, 'room');
    expect(registry.remove(older)).toBe(false);
    expect(connection.subscriptions.get('room')).toBe(newer);
    expect(newer.active).toBe(true);
  });

  it('counts right, and shows interest in just the channels that have subscribers', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(3), fc.constantFrom('x', 'y', 'z'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const interest = new Set<string>();
        const registry = createRegistry(observe(createMemoryAdapter(), interest));
        const connections = Array.from({ length: 4 }, (_, index) => new RecordingConnection(hub, { id: String(index) }));
        for (const [adds, index, name] of steps) {
          const connection = connections[index]!;
          const held = registry.find(connection, name);
          if (adds && !held) registry.add(connection, name);
          if (!adds && held) registry.remove(held);
        }
        const all = connections.flatMap(({ channels }) => channels);
        expect(registry.subscriptions).toBe(all.length);
        expect(interest).toEqual(new Set(all));
        expect(new Set([...registry.values()].map(({ name }) => name))).toEqual(new Set(all));
        for (const { name, size } of registry.values()) expect(size).toBe(all.filter((channel) => channel === name).length);
      }),
    );
  });
});
