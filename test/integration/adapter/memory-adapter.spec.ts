import { memoryAdapter } from '../../../lib/adapter/memory/memory-adapter.factory';
import { describeHubAdapter, RecordingReceiver } from './adapter-conformance';

describeHubAdapter('memory', 1, async () => {
  const adapter = memoryAdapter().create({ instanceId: '0'.repeat(32), resolve: () => undefined as never });
  const receiver = new RecordingReceiver();
  await adapter.start(receiver);
  return [{ adapter, receiver }];
});

describe('the memory adapter, within its bounds', () => {
  const history = { size: 5, ttl: 60_000 };
  const payload = Buffer.from('{}');

  it('forgets the channel that was used longest ago when there are too many', async () => {
    const adapter = memoryAdapter({ channels: 2 }).create({ instanceId: '0'.repeat(32), resolve: () => undefined as never });
    await adapter.start(new RecordingReceiver());
    const a = await adapter.append({ channel: 'a', payload }, history);
    const b = await adapter.append({ channel: 'b', payload }, history);
    await adapter.read('a', { last: 0 }, history);
    await adapter.append({ channel: 'c', payload }, history);
    expect((await adapter.read('a', { after: a.position }, history)).recovered).toBe(true);
    expect((await adapter.read('b', { after: b.position }, history)).recovered).toBe(false);
    await adapter.stop();
  });

  it('forgets the oldest idempotency key when there are too many', async () => {
    const adapter = memoryAdapter({ idempotencyKeys: 2 }).create({ instanceId: '0'.repeat(32), resolve: () => undefined as never });
    await adapter.start(new RecordingReceiver());
    for (const key of ['a', 'b', 'c']) await adapter.claim(key, 60_000);
    expect(await adapter.claim('c', 60_000)).toBeDefined();
    expect(await adapter.claim('a', 60_000)).toBeUndefined();
    await adapter.stop();
  });
});
