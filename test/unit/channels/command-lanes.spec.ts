import * as fc from 'fast-check';
import { CommandLanes } from '../../../lib/channels/command-lanes';
import { type Deferred, deferred } from '../../support/wait-for';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('CommandLanes', () => {
  it('begins at once in an empty lane', () => {
    let hasBegun = false;
    void new CommandLanes().add('a', undefined, async () => void (hasBegun = true));
    expect(hasBegun).toBe(true);
  });

  it('lets lanes run side by side', async () => {
    const lanes = new CommandLanes();
    const slow = deferred();
    void lanes.add('a', undefined, () => slow.promise);
    await lanes.add('b', undefined, () => Promise.resolve());
    expect(lanes.pending).toBe(1);
    slow.resolve();
    await settle();
    expect(lanes.pending).toBe(0);
  });

  it('begins nothing before what it has to wait for, and everything in its order then', async () => {
    const lanes = new CommandLanes();
    const ready = deferred();
    const begun: number[] = [];
    for (const number of [1, 2, 3]) void lanes.add('a', ready.promise, async () => void begun.push(number));
    await settle();
    expect(begun).toEqual([]);
    ready.resolve();
    await settle();
    expect(begun).toEqual([1, 2, 3]);
  });

  it('runs each lane in order and one at a time, whatever takes how long, and counts what is not through', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), lane: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('finish' as const), lane: fc.constantFrom('a', 'b', 'c') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const lanes = new CommandLanes();
        const running = new Map<string, Deferred>();
        const log: Record<string, number[]> = { a: [], b: [], c: [] };
        const added: Record<string, number> = { a: 0, b: 0, c: 0 };
        let [isSound, finished] = [true, 0];
        const finish = async (lane: string): Promise<void> => {
          const job = running.get(lane);
          if (!job) return;
          running.delete(lane);
          finished++;
          job.resolve();
          await settle();
        };
        for (const { kind, lane } of steps) {
          if (kind === 'finish') {
            await finish(lane);
          } else {
            const number = added[lane]!++;
            void lanes.add(lane, undefined, () => {
              isSound &&= !running.has(lane);
              log[lane]!.push(number);
              running.set(lane, deferred());
              return running.get(lane)!.promise;
            });
          }
          isSound &&= lanes.pending === added.a! + added.b! + added.c! - finished;
        }
        while (running.size > 0) for (const lane of running.keys()) await finish(lane);

        expect(isSound).toBe(true);
        expect(lanes.pending).toBe(0);
        for (const [lane, numbers] of Object.entries(log)) expect(numbers).toEqual(Array.from({ length: added[lane]! }, (_, index) => index));
      }),
      { numRuns: 200 },
    );
  });
});
