import { LibraryClient } from '../../support/checker/library-client';
import { SocketClient } from '../../support/checker/socket-client';
import { runTrial, TRIAL_PATIENCE, type TrialOptions, trialSeconds, trialSeed } from '../../support/checker/trial';
import { useCleanup } from '../adapter/redis-nodes';

const seed = trialSeed();
const cleanup = useCleanup();

const options = (loss: TrialOptions['loss'], seconds: number): TrialOptions => ({
  seed,
  seconds,
  loss,
  clients: 50,
  instances: 3,
  perSecond: 500,
  cleanup,
  // Some of them are the project's own client.
  connect: (recorder, ...rest) => (recorder.client.endsWith('0') ? new LibraryClient(recorder, ...rest) : new SocketClient(recorder, ...rest)),
});

describe(`over WebSocket, seed ${seed}`, () => {
  it(
    'nobody misses anything or is disturbed while clients are cut, instances killed, and Redis restarts and hands over',
    async () => {
      const { violations, summary, faults } = await runTrial(options('none', trialSeconds(10)));
      expect({ faults, violations }).toEqual({ faults, violations: [] });
      expect(summary.recovered).toBeGreaterThan(50);
    },
    TRIAL_PATIENCE,
  );

  it(
    'nobody is told of a continuity that is none while Redis fails over without its tail, and restarts with nothing',
    async () => {
      const { violations, summary, faults } = await runTrial(options('all', trialSeconds(9)));
      expect({ faults, violations }).toEqual({ faults, violations: [] });
      expect(summary.resets + summary.unrecovered).toBeGreaterThan(0);
      expect(summary.lost).toBeGreaterThan(0);
    },
    TRIAL_PATIENCE,
  );
});
