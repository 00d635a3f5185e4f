import { Frame } from '../../../lib/hub/frame';
import { FlushScheduler } from '../../../lib/hub/flush-scheduler';
import { LocalChannel } from '../../../lib/hub/local-channel';
import { isNewer, Subscription } from '../../../lib/hub/subscription';
import type { Position } from '../../../lib/protocol/cursor';
import { RecordingConnection } from './hub-kit';

const FRAME = Frame.fromText('{"type":"m"}');
const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset, tag: `t${offset}` });

describe('Subscription', () => {
  let connection: RecordingConnection;
  let subscription: Subscription;

  beforeEach(() => {
    connection = new RecordingConnection({ encode: () => FRAME });
    const settings = { history: undefined, presence: undefined, policy: 'disconnect' } as const;
    subscription = new Subscription(connection, new LocalChannel('room', settings, new FlushScheduler()));
  });

  it('is active while it is on its channel', () => {
    expect(subscription.active).toBe(false);
    subscription.channel.add(subscription);
    expect(subscription.active).toBe(true);
    subscription.channel.remove(subscription);
    expect(subscription.active).toBe(false);
  });

  it('holds publications back until it goes live', () => {
    expect(subscription.deliver(FRAME, at(1))).toBe(true);
    expect(connection.frames).toHaveLength(0);
    expect(subscription.takeHeld()).toEqual({ publications: [{ frame: FRAME, position: at(1) }], overflowed: false });
    expect(subscription.takeHeld().publications).toEqual([]);
    subscription.goLive();
    subscription.deliver(FRAME, at(2));
    expect(connection.frames).toHaveLength(1);
  });

  it('holds back so many and no more, and says that there were more', () => {
    for (let offset = 1; offset <= 1000; offset++) subscription.deliver(FRAME, at(offset));
    const { publications, overflowed } = subscription.takeHeld();
    expect(overflowed).toBe(true);
    expect(publications.map(({ position }) => position!.offset)).toEqual(Array.from({ length: 256 }, (_, index) => index + 1));
    subscription.deliver(FRAME, at(1001));
    expect(subscription.takeHeld()).toMatchObject({ overflowed: false, publications: [{ position: at(1001) }] });
  });

  it('leaves out what the join has sent already, and nothing else', () => {
    subscription.goLive(at(2));
    for (const position of [at(1), undefined, at(2), at(3), at(4)]) subscription.deliver(FRAME, position);
    // The one without a position, and the two that are newer.
    expect(connection.frames).toHaveLength(3);
    expect(subscription.position).toEqual(at(4));
  });

  it('knows where the subscriber is: at the last publication that it took', () => {
    subscription.goLive();
    subscription.deliver(FRAME, at(1));
    subscription.deliver(FRAME, undefined);
    expect(subscription.position).toEqual(at(1));
    connection.close();
    expect(subscription.deliver(FRAME, at(2))).toBe(false);
    expect(subscription.position).toEqual(at(1));
  });
});

describe('isNewer', () => {
  it.each([
    [at(2), at(1), true],
    [at(1), at(1), false],
    [at(1), at(2), false],
    [at(1, 'later'), at(9), true],
  ])('%j than %j: %s', (candidate, than, expected) => {
    expect(isNewer(candidate, than)).toBe(expected);
  });
});
