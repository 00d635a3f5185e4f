import { Logger } from '@nestjs/common';
import { CustomConnection } from '../../../lib/hub/custom-connection';
import { Frame } from '../../../lib/hub/frame';
import type { Subscriber } from '../../../lib/hub/subscriber';
import { RecordingLogger } from '../../support/recording-logger';

const FRAME = Frame.fromText('{"type":"a"}');

describe('CustomConnection', () => {
  let logger: RecordingLogger;
  let dropped: number;
  let events: unknown[];

  beforeEach(() => {
    Logger.overrideLogger((logger = new RecordingLogger()));
    dropped = 0;
    events = [];
  });
  afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

  function around(subscriber: Partial<Subscriber>): CustomConnection {
    const hub = { encode: () => FRAME, outboxObserver: { onDropped: (frames: number) => void (dropped += frames) } };
    const whole: Subscriber = { send: () => true, close: () => undefined, ...subscriber };
    return new CustomConnection(hub, { id: 'x' }, whole, (event) => void events.push(event));
  }

  it('gives each frame to the subscriber, and says whether it was taken', () => {
    const frames: Frame[] = [];
    const connection = around({ send: (frame) => frames.push(frame) < 2 });
    expect([connection.send(FRAME), connection.send(FRAME)]).toEqual([true, false]);
    expect(frames).toEqual([FRAME, FRAME]);
  });

  it('counts what is refused as dropped', () => {
    const connection = around({ send: () => false });
    connection.send(FRAME);
    connection.send(FRAME);
    expect(dropped).toBe(2);
  });

  it('takes a subscriber that throws for one that refuses, and says so once', () => {
    const connection = around({
      send: () => {
        throw new Error('no room');
      },
    });
    expect([connection.send(FRAME), connection.send(FRAME)]).toEqual([false, false]);
    expect(dropped).toBe(2);
    expect(logger.lines).toHaveLength(1);
    expect(logger.text).toContain('no room');
  });

  it('closes the subscriber once, and tells the hub', () => {
    const closes: unknown[] = [];
    const connection = around({ close: (code, reason) => void closes.push([code, reason]) });
    connection.close(4503, 'bye');
    connection.close();
    expect(closes).toEqual([[4503, 'bye']]);
    expect(events).toEqual([{ code: 4503, reason: 'bye' }]);
    expect([connection.open, connection.send(FRAME), dropped]).toEqual([false, false, 0]);
  });

  it('ends although the subscriber throws at its close', () => {
    const connection = around({
      close: () => {
        throw new Error('already gone');
      },
    });
    expect(() => connection.close()).not.toThrow();
    expect(events).toEqual([{ code: 1000, reason: '' }]);
    expect(logger.text).toContain('already gone');
  });

  it('closes nothing that leaves by itself', () => {
    const closes: unknown[] = [];
    const connection = around({ close: () => void closes.push('closed') });
    connection.detach();
    connection.close();
    expect([closes, events, connection.open]).toEqual([[], [], false]);
  });
});
