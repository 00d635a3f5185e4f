import { assertDelivered, DeliveryError } from '../../benchmark/harness/measure';
import { CALLS, REFERENCE_E } from '../../benchmark/scenarios/reference-e';

describe('CHECKLIST 48: the benchmarks of reference E', () => {
  it('are its nine, under its names', () => {
    expect(REFERENCE_E.map(({ name }) => name).toSorted()).toEqual([
      'Broadcast_100',
      'Broadcast_Parallel',
      'ConcurrentSubscribers',
      'MarshalMessage',
      'MultiChannelFanout',
      'SendToChannel_50',
      'SendToChannel_Parallel',
      'SubscribeUnsubscribe',
      'WebSocketEndToEnd',
    ]);
  });

  it.each([
    ['Broadcast_100', 'broadcast', 100, 0, 100],
    ['SendToChannel_50', 'publish', 50, 1, 50],
    ['MultiChannelFanout', 'publish', 100, 10, 10],
    ['ConcurrentSubscribers', 'publish', 100, 1, 100],
  ])('%s calls %s with %i clients and %i channels, and counts on %i deliveries a call', (name, method, clients, channels, fanOut) => {
    const calls = CALLS.find((candidate) => candidate.name === name)!;
    expect([calls.method, calls.connections.length, calls.channels.length, calls.fanOut]).toEqual([method, clients, channels, fanOut]);
    // Each channel has as many subscribers as are counted on.
    for (const channel of calls.channels) expect(calls.connections.filter((held) => held.includes(channel))).toHaveLength(fanOut);
  });

  it.each(['Broadcast_Parallel', 'SendToChannel_Parallel'])('%s has more than one call under way', (name) => {
    expect(CALLS.find((calls) => calls.name === name)!.parallel).toBeGreaterThan(1);
  });

  it.each([99, 101])('a run that delivers %i of 100 messages is none', (received) => {
    const counts = { received, min: 1, max: 1, latencies: [], errors: 0, open: 1 };
    expect(() => assertDelivered('a run', counts, 100)).toThrow(DeliveryError);
    expect(() => assertDelivered('a run', { ...counts, received: 100 }, 100)).not.toThrow();
  });
});
