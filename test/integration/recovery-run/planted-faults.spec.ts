import { check } from '../../support/checker/check';
import { ClientRecorder } from '../../support/checker/client-recorder';
import { Random } from '../../support/checker/random';
import type { ClientEvent, PublishRecord, ViolationKind } from '../../support/checker/recording';
import { SocketClient } from '../../support/checker/socket-client';
import { type Tamper, TamperingProxy } from '../../support/checker/tampering-proxy';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';
import { useCleanup } from '../adapter/redis-nodes';

const CHANNEL = 'news:a';
const startApp = testApps();
const cleanup = useCleanup();

/** The frame with this id in its data is answered with what `then` makes of it; everything else goes through. */
const on = (id: string, then: Tamper): Tamper => (frame) => ((frame.data as { id?: string } | undefined)?.id === id ? then(frame) : [frame]);

/** Delivers the frame after the next one. */
function later(id: string): Tamper {
  let kept: Parameters<Tamper>[0][] = [];
  return (frame) => {
    if ((frame.data as { id?: string } | undefined)?.id === id) {
      kept = [frame];
      return [];
    }
    return [frame, ...kept.splice(0)];
  };
}

/**
 * Seven publications; the client is cut off after the third and comes back after the fifth. What it is sent is tampered
 * with on the way.
 *
 * @param last publication that gets to it
 */
async function judged(tamper: Tamper, { clearHistory = false, last = 'm7' } = {}): Promise<ViolationKind[]> {
  const { port, hub } = await startApp({ realtime: { channels: { 'news:{name}': { history: { size: 100, ttl: '1m' } } } } });
  const proxy = cleanup(await TamperingProxy.start(port, tamper));
  const recorder = new ClientRecorder('client', [CHANNEL]);
  const client = cleanup(new SocketClient(recorder, [proxy.port], new Random(1)));
  const events = (): readonly ClientEvent[] => recorder.records[0]!.events;
  const joins = (): number => events().filter(({ kind }) => kind === 'subscribed').length;

  const publishes: PublishRecord[] = [];
  const publish = async (): Promise<void> => {
    const startedAt = publishes.length * 2;
    const id = `m${publishes.length + 1}`;
    const { cursor } = await hub.publish(CHANNEL, { id });
    publishes.push({ channel: CHANNEL, id, outcome: 'accepted', cursor, startedAt, answeredAt: startedAt + 1 });
  };

  await waitFor('the first join', () => joins() === 1);
  for (let i = 0; i < 3; i++) await publish();
  await waitFor('the third', () => events().some((event) => event.kind === 'publication' && event.id === 'm3'));
  client.cut();
  if (clearHistory) await hub.clearHistory(CHANNEL);
  for (let i = 0; i < 2; i++) await publish();
  await waitFor('the second join', () => joins() === 2);
  for (let i = 0; i < 2; i++) await publish();
  await waitFor('the last one', () => events().some((event) => event.kind === 'publication' && event.id === last));

  const { cursor } = await hub.history(CHANNEL, { limit: 1 });
  const recording = { clients: recorder.records, publishes, heads: { [CHANNEL]: cursor } };
  return check(recording, clearHistory ? 'all' : 'none').violations.map(({ kind }) => kind);
}

describe('a fault that is planted between a server and its client', () => {
  it('is not there: nothing is found', async () => {
    expect(await judged((frame) => [frame])).toEqual([]);
  });

  it.each<[string, ViolationKind, Tamper]>([
    ['a live publication is dropped', 'gap', on('m2', () => [])],
    ['a missed publication is dropped', 'false-recovery', on('m4', () => [])],
    ['a publication comes twice', 'duplicate', on('m2', (frame) => [frame, frame])],
    ['two publications are swapped', 'order', later('m4')],
  ])('%s', async (_what, kind, tamper) => {
    expect(await judged(tamper)).toEqual([kind]);
  });

  it('the last publication is dropped', async () => {
    expect(await judged(on('m7', () => []), { last: 'm6' })).toEqual(['lost-tail']);
  });

  it('recovery is claimed where the history was gone', async () => {
    let asked: string | undefined;
    const claim: Tamper = (frame) => {
      if (frame.type !== 'subscribed' || frame.recovered !== false) {
        asked = frame.cursor ?? asked;
        return [frame];
      }
      return [{ ...frame, recovered: true, cursor: asked }];
    };
    expect(await judged(claim, { clearHistory: true })).toEqual(['false-recovery']);
  });
});
