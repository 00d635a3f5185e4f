import { check } from './check';
import { ClientRecorder } from './client-recorder';
import { cutClients, replaceInstance, type Stricken, storeFaults } from './faults';
import { Instance } from './instance';
import { Publisher } from './publisher';
import { Random } from './random';
import type { AllowedLoss, CheckResult, Recording } from './recording';
import type { RecordedClient } from './socket-client';
import { Store } from './store';

export interface TrialOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly loss: AllowedLoss;
  readonly clients: number;
  readonly instances: number;
  readonly perSecond: number;
  /** Ends what needs ending, whatever becomes of the trial. */
  readonly cleanup: <T extends { stop(): Promise<unknown> }>(started: T) => T;
  readonly connect: (recorder: ClientRecorder, ports: readonly number[], random: Random) => RecordedClient;
}

export interface TrialResult extends CheckResult {
  /** What was done, in order. */
  readonly faults: readonly string[];
}

const CHANNELS = Array.from({ length: 6 }, (_, i) => `news:${i}`);
/** Between two faults of a kind, in ms. */
const CUT_EVERY = 200;
const KILL_EVERY = 3500;
const STORE_EVERY = 4000;
/** How long everybody may take to catch up at the end. */
const SETTLE = 20_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `CHECK_SECONDS=600` makes every trial longer, and adds those that are left out usually. */
export function trialSeconds(usual: number): number {
  return Number(process.env.CHECK_SECONDS ?? usual);
}

/** Those of all trials that there is time for. */
export function trialsInTime<T>(first: T, ...others: readonly T[]): T[] {
  return process.env.CHECK_SECONDS === undefined ? [first] : [first, ...others];
}

/** `CHECK_SEED=7` makes the choices of the trial with that seed again. */
export function trialSeed(): number {
  return Number(process.env.CHECK_SEED ?? Date.now() % 1_000_000);
}

/** How long a trial may take, in ms, with all that comes before and after. */
export const TRIAL_PATIENCE = (trialSeconds(15) + 120) * 1000;

/** Publishes, cuts, kills and restarts for some time; then judges what everybody has written down. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const { cleanup, loss, seconds } = options;
  const random = new Random(options.seed);
  const store = cleanup(await Store.start(loss !== 'all'));
  const instances: Instance[] = [];
  while (instances.length < options.instances) instances.push(cleanup(await Instance.create(store.url)));
  await Promise.all(instances.map((instance) => instance.launch()));
  const ports = instances.map(({ proxy }) => proxy.port);
  const clients = Array.from({ length: options.clients }, (_, i) =>
    cleanup(options.connect(new ClientRecorder(`client ${i}`, channelsFor(i)), ports, new Random(options.seed + i + 1))),
  );
  await until(() => clients.every(({ recorder }) => recorder.channels.every((channel) => recorder.cursorOf(channel) !== undefined)));

  const publisher = cleanup(new Publisher(instances, CHANNELS, random));
  publisher.start(options.perSecond);
  const faults = await strike({ instances, clients, store, random }, loss, seconds);
  await publisher.stop();
  for (const channel of CHANNELS) await publisher.insist(channel);
  const heads = await readHeads(instances);
  await until(() => clients.every(({ recorder }) => recorder.channels.every((channel) => recorder.cursorOf(channel) === heads[channel])));
  const recording: Recording = { clients: clients.flatMap(({ recorder }) => recorder.records), publishes: publisher.records, heads };
  return { ...check(recording, loss), faults };
}

/** Different combinations, so that no two connections share all of their frames. */
function channelsFor(client: number): string[] {
  return CHANNELS.filter((_, i) => (client + i) % 3 === 0 || i === client % CHANNELS.length);
}

/** Each kind of fault on its own clock, so that they meet in every way. */
async function strike(stricken: Stricken, loss: AllowedLoss, seconds: number): Promise<string[]> {
  const log: string[] = [];
  let end = Date.now() + seconds * 1000;
  const repeat = async (every: number, work: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      await pause(stricken.random.between(0.5, 1.5) * every);
      if (Date.now() >= end) return;
      await work().catch((error: unknown) => {
        // The others need not go on.
        end = 0;
        throw error;
      });
    }
  };
  const ofStore = storeFaults(stricken, loss);
  let next = stricken.random.below(ofStore.length);
  await Promise.all([
    repeat(CUT_EVERY, () => cutClients(stricken)),
    repeat(KILL_EVERY, () => {
      log.push('an instance is killed');
      return replaceInstance(stricken);
    }),
    repeat(STORE_EVERY, () => {
      const fault = ofStore[next++ % ofStore.length]!;
      log.push(fault.name);
      return fault.strike();
    }),
  ]);
  return log;
}

async function readHeads(instances: readonly Instance[]): Promise<Record<string, string>> {
  const heads: Record<string, string> = {};
  for (const channel of CHANNELS) heads[channel] = await instances[0]!.head(channel);
  return heads;
}

/** Waits, and goes on in any case: what is not as it should be is found by the checker. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + SETTLE;
  while (!condition() && Date.now() < deadline) await pause(20);
}
