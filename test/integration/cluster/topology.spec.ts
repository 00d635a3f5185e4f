import { clusterSlot } from '../../../lib/adapter/redis/connection/cluster-slot';
import type { RedisAdapterOptions } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { inStep, RedisClusterServers, type RedisServer } from '../../support/redis-server';
import { SentinelServers } from '../../support/redis-sentinel';
import { waitFor } from '../../support/wait-for';
import { BRISK, silenceLogs, useCleanup } from '../adapter/redis-nodes';
import { Audience, KEPT, startInstance, WELL } from './cluster-kit';

silenceLogs();
const cleanup = useCleanup();

/** Two instances, with a client of each that stays connected. */
async function startAudience(options: RedisAdapterOptions): Promise<{ apps: TestApp[]; audience: Audience }> {
  const apps = await Promise.all([1, 2].map(() => startInstance({ ...BRISK, ...options })));
  for (const app of apps) cleanup({ stop: () => app.close() });
  const audience = await Audience.on(apps);
  cleanup({ stop: () => audience.close() });
  await audience.flows();
  return { apps, audience };
}

const promoted = (replica: RedisServer): Promise<boolean> =>
  waitFor('the promotion', () => replica.use(async (client) => (await client.info('replication')).includes('role:master')));

describe('under clients that stay connected', () => {
  it('Sentinels make a replica the master', async () => {
    const servers = cleanup(await SentinelServers.start());
    const { audience } = await startAudience({ sentinels: { nodes: servers.sentinelNodes, name: 'mymaster' } });
    await inStep(servers.master, servers.replica);
    await servers.master.kill();
    await promoted(servers.replica);
    await audience.flows();
    expect(await audience.judge()).toEqual(WELL);
  });

  it('a Cluster of three masters moves a slot, promotes a replica when asked, and loses a master', async () => {
    const cluster = cleanup(await RedisClusterServers.start({ replicas: true }));
    const { apps, audience } = await startAudience({ cluster: { nodes: cluster.nodes }, commandTimeout: 10_000 });
    const slot = clusterSlot(`realtime:channel:${KEPT}`);

    const from = await cluster.ownerOf(slot);
    const to = cluster.masters.find((server) => server !== from)!;
    await cluster.moveSlot(slot, from, to);
    await audience.flows();

    const other = cluster.masters.find((server) => server !== to)!;
    const planned = cluster.replicas[cluster.masters.indexOf(other)]!;
    await planned.use((client) => client.call('CLUSTER', 'FAILOVER'));
    await promoted(planned);
    await audience.flows();

    const replica = cluster.replicas[cluster.masters.indexOf(to)]!;
    await inStep(to, replica);
    await to.kill();
    await promoted(replica);
    await audience.flows();

    expect(await audience.judge()).toEqual(WELL);
    expect(await waitFor('readiness', () => apps.every((app) => app.hub.status().ready))).toBe(true);
  });
});
