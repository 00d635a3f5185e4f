import type { Instance } from './instance';
import type { Random } from './random';
import type { RecordedClient } from './socket-client';
import type { Store } from './store';

/** What is done to a trial, and when. */
export interface Fault {
  readonly name: string;
  strike(): Promise<unknown>;
}

export interface Stricken {
  readonly instances: readonly Instance[];
  readonly clients: readonly RecordedClient[];
  readonly store: Store;
  readonly random: Random;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Clients are cut off: one from its own end, and some of an instance's in the middle of what is on its way to them. */
export async function cutClients({ clients, instances, random }: Stricken): Promise<void> {
  random.pick(clients).cut();
  const { proxy } = random.pick(instances);
  const which = (): boolean => random.next() < 0.1;
  if (random.next() < 0.8) {
    proxy.cut({ which });
    return;
  }
  // A connection that has been dead for a while before anybody notices.
  proxy.swallow('toClient');
  await pause(50);
  proxy.cut();
  proxy.heal();
}

/** An instance is killed, and another started in its place. */
export async function replaceInstance({ instances, random }: Stricken): Promise<void> {
  const instance = random.pick(instances.filter(({ up }) => up));
  await instance.kill();
  await instance.launch();
}

/** What happens to Redis, in turn. */
export function storeFaults({ store }: Stricken, loss: 'none' | 'tail' | 'all'): Fault[] {
  const faults: Record<typeof loss, Fault[]> = {
    none: [
      { name: 'Redis restarts', strike: () => store.restart() },
      { name: 'Redis hands over to its replica', strike: () => store.handOver() },
      { name: 'Redis freezes', strike: () => store.freeze() },
      { name: 'all connections to Redis break', strike: () => store.disconnect() },
    ],
    tail: [{ name: 'Redis fails over and loses a tail', strike: () => store.failOver() }],
    all: [
      { name: 'Redis fails over and loses a tail', strike: () => store.failOver() },
      { name: 'Redis restarts with nothing', strike: () => store.restart() },
    ],
  };
  return faults[loss];
}
