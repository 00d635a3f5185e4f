import { AdapterUnavailableError, HubBusyError } from '../../../../lib/adapter/adapter.errors';
import { PublishQueue, QueueBudget, type SendBatch } from '../../../../lib/adapter/redis/publish-queue';
import { deferred, type Deferred } from '../../../support/wait-for';

const settings = { publishTimeout: 2_000, queueSize: 1_000, queueBytes: 1_000_000, onBusy: undefined };

/** A queue over a Redis that answers when the test says so. */
function heldQueue(limits: Partial<typeof settings> = {}) {
  const batches: { values: readonly number[]; answer: Deferred }[] = [];
  const send: SendBatch<number, string> = async (_first, collect) => {
    const values = collect();
    const answer = deferred();
    batches.push({ values, answer });
    await answer.promise;
    return values.map((value) => (value < 0 ? new Error(`no ${value}`) : `sent ${value}`));
  };
  const budget = new QueueBudget({ ...settings, ...limits });
  return { batches, budget, queue: new PublishQueue('Publishing', budget, send) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the queue of publications', () => {
  it('sends what is published in one turn in one batch, and answers each', async () => {
    const { batches, queue, budget } = heldQueue();
    const results = Promise.all([1, 2, 3].map((value) => queue.add('', value, 10)));
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3]]);
    expect([budget.waiting, budget.waitingBytes]).toEqual([3, 30]);
    batches[0]!.answer.resolve();
    expect(await results).toEqual(['sent 1', 'sent 2', 'sent 3']);
    expect([budget.waiting, budget.waitingBytes]).toEqual([0, 0]);
  });

  it('keeps the order of a route, makes larger batches while Redis is busy, and parts routes', async () => {
    const { batches, queue } = heldQueue();
    const results: Promise<string>[] = [];
    for (let value = 0; value < 8; value++) {
      results.push(queue.add('a', value, 1));
      await turn();
    }
    results.push(queue.add('b', 100, 1));
    await turn();
    expect(batches.map(({ values }) => values)).toEqual([[0], [1], [2], [3], [100]]);
    batches[0]!.answer.resolve();
    await turn();
    expect(batches.at(-1)!.values).toEqual([4, 5, 6, 7]);
    for (const { answer } of batches) answer.resolve();
    await Promise.all(results);
  });

  it('bounds a batch in number and in bytes', async () => {
    const { batches, queue } = heldQueue();
    const results = [...Array.from({ length: 200 }, (_, i) => queue.add('', i, 1)), queue.add('', 500, 400_000), queue.add('', 501, 400_000)];
    await turn();
    expect(batches.map(({ values }) => values.length)).toEqual([128, 73, 1]);
    for (const { answer } of batches) answer.resolve();
    await Promise.all(results);
  });

  it('fails one of a batch without the others', async () => {
    const { batches, queue } = heldQueue();
    const results = Promise.allSettled([queue.add('', 1, 1), queue.add('', -1, 1)]);
    await turn();
    batches[0]!.answer.resolve();
    expect(await results).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: new Error('no -1') }]);
  });

  it('tells what it can know of a publication whose time is over, and never sends one that still waited', async () => {
    const { batches, queue, budget } = heldQueue({ publishTimeout: 30 });
    const first: Promise<string>[] = [];
    for (let value = 0; value < 4; value++) {
      first.push(queue.add('', value, 1));
      await turn();
    }
    const waiting = queue.add('', 99, 1);
    const results = await Promise.allSettled([...first, waiting]);
    const outcomes = results.map((result) => (result.status === 'rejected' ? (result.reason as AdapterUnavailableError).outcome : result.value));
    expect(outcomes).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'not_sent']);
    expect(budget.waiting).toBe(5);
    for (const { answer } of batches) answer.resolve();
    await turn();
    expect(batches.flatMap(({ values }) => values)).not.toContain(99);
    expect(budget.waiting).toBe(0);
  });

  it('refuses what does not fit, and takes again when there is room', async () => {
    const busy: HubBusyError[] = [];
    const { batches, queue, budget } = heldQueue({ queueSize: 2, onBusy: ((error: HubBusyError) => void busy.push(error)) as never });
    const taken = [queue.add('', 1, 1), queue.add('', 2, 1)];
    await expect(queue.add('', 3, 1)).rejects.toThrow(HubBusyError);
    expect([busy.length, budget.refused]).toEqual([1, 1]);
    await turn();
    batches[0]!.answer.resolve();
    await Promise.all(taken);
    const again = queue.add('', 4, 1);
    await turn();
    batches[1]!.answer.resolve();
    expect(await again).toBe('sent 4');
  });
});
