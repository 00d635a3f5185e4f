import { EventStreamClient } from '../../support/checker/event-stream-client';
import { runTrial, TRIAL_PATIENCE, trialSeconds, trialSeed } from '../../support/checker/trial';
import { useCleanup } from '../adapter/redis-nodes';

const seed = trialSeed();
const cleanup = useCleanup();
const CROWD = { seed, clients: 50, instances: 3, perSecond: 500 };

describe(`over Server-Sent Events, seed ${seed}`, () => {
  it(
    'nobody misses anything or is disturbed while clients are cut, instances killed, and Redis restarts and hands over',
    async () => {
      const { violations, summary, faults } = await runTrial({
        ...CROWD,
        seconds: trialSeconds(12),
        loss: 'none',
        cleanup,
        connect: (...args) => new EventStreamClient(...args),
      });
      expect({ faults, violations }).toEqual({ faults, violations: [] });
      expect(summary.recovered).toBeGreaterThan(50);
    },
    TRIAL_PATIENCE,
  );
});
