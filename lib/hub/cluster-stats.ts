import type { AdapterInstance } from '../adapter/hub-adapter';
import type { ClusterStats, InstanceCounts, InstanceStats } from './hub-stats';

/** What this instance knows of itself without asking anybody. */
export interface OwnInstance {
  readonly id: string;
  readonly startedAt: string;
  readonly counts: InstanceCounts;
}

/** Puts together what the instances say about themselves. This one is always there, with its counts of now. */
export function clusterStats(own: OwnInstance, alive: readonly AdapterInstance[]): ClusterStats {
  const others = alive.filter(({ id }) => id !== own.id).map((instance) => toStats(instance, false));
  const instances = [toStats(own, true), ...others].toSorted(byStart);
  return {
    instances,
    clients: sum(instances.map(({ clients }) => clients)),
    subscribers: sum(instances.map(({ subscribers }) => subscribers)),
  };
}

function toStats({ id, startedAt, counts }: AdapterInstance | OwnInstance, self: boolean): InstanceStats {
  const said: Readonly<Record<string, number>> = counts;
  return { id, startedAt, clients: said.clients ?? 0, channels: said.channels ?? 0, subscribers: said.subscribers ?? 0, self };
}

function byStart(a: InstanceStats, b: InstanceStats): number {
  return a.startedAt.localeCompare(b.startedAt) || a.id.localeCompare(b.id);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
