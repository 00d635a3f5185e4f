import type { AdapterReceiver, HubAdapter } from '../../../lib/adapter/hub-adapter';
import type { HubCore } from '../../../lib/hub/hub-core';
import { isInterruption } from '../../../lib/hub/presence';
import type { RealtimeModuleOptions } from '../../../lib/realtime.options';
import { waitFor } from '../../support/wait-for';
import { connect, createMemoryAdapter, type RecordingConnection, settle, startHub } from './hub-kit';

const ROOM = 'room:a';
const LONG = { channels: { 'room:*': { presence: { gracePeriod: '1h' } }, 'brief:*': { presence: { gracePeriod: 1 } }, 'none:*': { presence: { gracePeriod: 0 } } } };
const alice = { id: 'alice', claims: {} };

async function memberIds(hub: HubCore, channel = ROOM): Promise<string[]> {
  return (await hub.presence.snapshot(channel)).members.map(({ connectionId }) => connectionId).toSorted();
}

/** What a witness was told of others, in order. */
const changes = ({ messages }: RecordingConnection): string[] =>
  messages.filter(({ type }) => type === 'join' || type === 'leave').map(({ type, data }) => `${type} ${(data as { connectionId: string }).connectionId}`);

describe('the grace period of presence', () => {
  let hub: HubCore;
  let witness: RecordingConnection;

  beforeEach(async () => {
    hub = await startHub(LONG);
    witness = connect(hub, { id: 'witness' });
  });
  afterEach(() => hub.shutdown());

  const joined = async (id: string, channel = ROOM): Promise<RecordingConnection> => {
    const connection = connect(hub, { id, user: alice });
    await hub.subscribe(connection, channel, {});
    return connection;
  };

  it.each([1001, 1006, 1011, 1012, 4001, 4005, 4008, 4010, 4013, 4029])('a connection lost with %d is a member still', async (code) => {
    await hub.subscribe(witness, ROOM, {});
    (await joined('a')).close(code);
    await settle();
    expect(changes(witness)).toEqual(['join a']);
    expect(await memberIds(hub)).toEqual(['a', 'witness']);
    expect(isInterruption(code)).toBe(true);
  });

  it.each([1000, 1005, 1008, 1009, 4501, 4503, 4504, 4509])('a connection that ends with %d leaves at once', async (code) => {
    await hub.subscribe(witness, ROOM, {});
    (await joined('a')).close(code);
    await settle();
    expect(changes(witness)).toEqual(['join a', 'leave a']);
    expect(await memberIds(hub)).toEqual(['witness']);
    expect(isInterruption(code)).toBe(false);
  });

  it('ends with one leave', async () => {
    await hub.subscribe(witness, 'brief:a', {});
    (await joined('a', 'brief:a')).close(1006);
    await waitFor('the leave', () => changes(witness).includes('leave a'));
    await settle();
    expect(changes(witness)).toEqual(['join a', 'leave a']);
    expect(await memberIds(hub, 'brief:a')).toEqual(['witness']);
  });

  it('is none with 0', async () => {
    await hub.subscribe(witness, 'none:a', {});
    (await joined('a', 'none:a')).close(1006);
    await settle();
    expect(changes(witness)).toEqual(['join a', 'leave a']);
  });

  it('a user that comes back within it is never absent', async () => {
    await hub.subscribe(witness, ROOM, {});
    const first = await joined('first');
    first.close(1006);
    await settle();
    expect((await hub.presence.snapshot(ROOM)).users).toBe(2);
    await joined('second');
    expect((await hub.presence.snapshot(ROOM)).users).toBe(2);
    await hub.shutdown();
    expect(changes(witness).slice(0, 2)).toEqual(['join first', 'join second']);
  });

  it('is over for a connection that is back under its own id, without a word', async () => {
    await hub.subscribe(witness, ROOM, {});
    (await joined('a')).close(1006);
    await settle();
    const back = await joined('a');
    expect(changes(witness)).toEqual(['join a']);
    back.close(1000);
    await settle();
    expect(changes(witness)).toEqual(['join a', 'leave a']);
  });

  it('is over at once for everybody when the instance shuts down', async () => {
    (await joined('a')).close(1006);
    await settle();
    expect(await memberIds(hub)).toEqual(['a']);
    await hub.shutdown();
    expect(await memberIds(hub)).toEqual([]);
  });

  it('unsubscribing needs none', async () => {
    await hub.subscribe(witness, ROOM, {});
    hub.unsubscribe(await joined('a'), ROOM);
    await settle();
    expect(changes(witness)).toEqual(['join a', 'leave a']);
  });
});

describe('what the adapter tells of presence', () => {
  const member = (connectionId: string) => ({ connectionId, user: null, info: null });

  /** The in-memory adapter, and what the hub has given it to call. */
  async function start(channels: RealtimeModuleOptions['channels']): Promise<{ hub: HubCore; receiver: AdapterReceiver }> {
    let receiver!: AdapterReceiver;
    const adapter: HubAdapter = createMemoryAdapter();
    const begin = adapter.start.bind(adapter);
    adapter.start = (given) => begin((receiver = given));
    return { hub: await startHub({ channels }, adapter), receiver };
  }

  it('is announced once for each member, many at once included', async () => {
    const { hub, receiver } = await start({ 'room:*': { presence: true } });
    const witness = connect(hub, { id: 'witness' });
    await hub.subscribe(witness, ROOM, {});
    const ids = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    for (const id of ids) receiver.onPresence?.(ROOM, 'leave', member(id));
    receiver.onPresence?.(ROOM, 'join', member('back'));
    await waitFor('the last', () => changes(witness).includes('join back'));
    expect(changes(witness)).toEqual([...ids.map((id) => `leave ${id}`), 'join back']);
  });

  it('is kept to the server with announce: false, and where no presence is kept', async () => {
    const { hub, receiver } = await start({ 'quiet:*': { presence: { announce: false } }, 'plain:*': {} });
    const witness = connect(hub, { id: 'witness' });
    for (const channel of ['quiet:a', 'plain:a']) {
      await hub.subscribe(witness, channel, {});
      receiver.onPresence?.(channel, 'leave', member('m'));
    }
    await settle();
    expect(changes(witness)).toEqual([]);
  });

  it('is told counts of this instance', async () => {
    const { hub, receiver } = await start({ '*': {} });
    await hub.subscribe(connect(hub, { id: 'a' }), 'x', {});
    await hub.subscribe(connect(hub, { id: 'b' }), 'x', {});
    expect(receiver.counts?.()).toEqual({ clients: 2, channels: 1, subscribers: 2 });
  });
});
