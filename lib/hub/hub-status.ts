import type { AdapterStatus } from '../adapter/hub-adapter';

/**
 * Where a hub is in its life. `draining`: it sends its clients away and takes no new ones.
 *
 * @publicApi
 */
export type HubState = 'starting' | 'running' | 'draining' | 'closed';

/** How a hub is now. @publicApi */
export interface HubStatus {
  readonly state: HubState;
  /** Whether new clients are well served here: it runs, and messages get to the other instances and from them. */
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  /** The way to the other instances, with the adapter's own figures. */
  readonly adapter: AdapterStatus & { readonly name: string };
}

/** Puts together what hub and adapter are. */
export function hubStatus(state: HubState, name: string, status: AdapterStatus): HubStatus {
  const adapter = { name, ...status };
  if (state !== 'running') return { state, ready: false, reason: `the hub is ${state}`, adapter };
  if (status.ready) return { state, ready: true, adapter };
  return { state, ready: false, reason: status.reason ?? `the ${name} adapter is not ready`, adapter };
}
