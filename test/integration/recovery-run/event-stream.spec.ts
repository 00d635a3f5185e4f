import { EventStreamClient } from '../../support/checker/event-stream-client';
import { runTrial, TRIAL_PATIENCE, trialSeconds, trialSeed, trialsInTime } from '../../support/checker/trial';
import { useCleanup } from '../adapter/redis-nodes';

const seed = trialSeed();
const cleanup = useCleanup();

describe(`over Server-Sent Events, seed ${seed}`, () => {
  it.each(trialsInTime<'none' | 'all'>('none', 'all'))(
    'clients are cut, instances killed, and Redis comes and goes, and nobody is misled (lost by Redis: %s)',
    async (loss) => {
      const { violations, summary, faults } = await runTrial({
        seed,
        seconds: trialSeconds(10),
        loss,
        clients: 50,
        instances: 3,
        perSecond: 500,
        cleanup,
        connect: (...args) => new EventStreamClient(...args),
      });
      expect({ faults, violations }).toEqual({ faults, violations: [] });
      expect(summary.recovered).toBeGreaterThan(50);
    },
    TRIAL_PATIENCE,
  );
});
