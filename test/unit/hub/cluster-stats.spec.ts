import { memoryAdapter } from '../../../lib/adapter/memory/memory-adapter.factory';
import { clusterStats } from '../../../lib/hub/cluster-stats';
import { HubCore } from '../../../lib/hub/hub-core';
import { resolveSettings } from '../../../lib/realtime.settings';
import { connect } from './hub-kit';

const own = { id: 'own', startedAt: '2026-01-02T00:00:00.000Z', counts: { clients: 2, channels: 1, subscribers: 3 } };

describe('clusterStats', () => {
  it('has one instance where there is one', async () => {
    const settings = resolveSettings({ channels: { '*': {} } });
    const adapter = memoryAdapter().create({ instanceId: settings.hub.instanceId, resolve: () => undefined as never });
    const hub = new HubCore(settings.hub, settings.rules, adapter);
    await hub.start();
    await hub.subscribe(connect(hub), 'a', {});
    const { instances, ...sums } = await hub.clusterStats();
    expect(sums).toEqual({ clients: 1, subscribers: 1 });
    expect(instances).toEqual([
      { id: hub.settings.instanceId, startedAt: expect.stringMatching(/^\d{4}-.*Z$/), clients: 1, channels: 1, subscribers: 1, self: true },
    ]);
  });

  it('puts this instance among the others with its counts of now, the oldest first', () => {
    const said = { id: 'own', startedAt: own.startedAt, counts: { clients: 99 } };
    const older = { id: 'older', startedAt: '2026-01-01T00:00:00.000Z', counts: { clients: 5, channels: 1, subscribers: 7 } };
    const stats = clusterStats(own, [said, older]);
    expect(stats.instances.map(({ id, clients, self }) => [id, clients, self])).toEqual([['older', 5, false], ['own', 2, true]]);
    expect(stats).toMatchObject({ clients: 7, subscribers: 10 });
  });

  it('has this instance although the others do not see it, and instances that say nothing count nothing', () => {
    const stats = clusterStats(own, [{ id: 'mute', startedAt: '2026-01-03T00:00:00.000Z', counts: {} }]);
    expect(stats.instances.map(({ id }) => id)).toEqual(['own', 'mute']);
    expect(stats).toMatchObject({ clients: 2, subscribers: 3 });
  });
});
