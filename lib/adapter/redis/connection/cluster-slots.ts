import type { RedisNodeAddress } from './redis-node-address';

/** Slots `from` to `to`, both included, and the master that has them. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly node: RedisNodeAddress;
}

/**
 * Reads the answer to `CLUSTER SLOTS`.
 *
 * @param asked the host that was asked: a node that does not know its own address leaves it out
 * @throws Error when no slot is served: then the cluster is not set up, or is not one
 */
export function readClusterSlots(reply: unknown, asked: string): SlotRange[] {
  const ranges = (reply as [number, number, [Buffer | null, number], ...unknown[]][]).map(([from, to, master]) => {
    const host = master[0]?.toString('utf8');
    return { from, to, node: { host: host === undefined || host === '' || host === '?' ? asked : host, port: master[1] } };
  });
  if (ranges.length === 0) throw new Error('the cluster serves no slots');
  return ranges;
}
