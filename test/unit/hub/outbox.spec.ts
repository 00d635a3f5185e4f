import * as fc from 'fast-check';
import { FlushScheduler } from '../../../lib/hub/flush-scheduler';
import { Frame, type FrameOrigin, type SlowConsumerPolicy } from '../../../lib/hub/frame';
import { Outbox, type OutboxLimits, type OutboxSocket } from '../../../lib/hub/outbox';
import { receive } from './receive';

/** A socket that takes everything, or keeps the last write until {@link drain}. */
class TestSocket implements OutboxSocket {
  readonly writes: Buffer[] = [];
  takesAll = true;
  overflows = 0;
  outbox!: Outbox;

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return this.takesAll;
  }

  overflow(): void {
    this.overflows++;
    this.outbox.close();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }

  /** What was written, message by message. */
  async sent(): Promise<unknown[]> {
    return (await receive(this.bytes)).map((json) => (JSON.parse(json) as { data: unknown }).data);
  }
}

interface Box {
  outbox: Outbox;
  socket: TestSocket;
  scheduler: FlushScheduler;
  dropped: () => number;
}

function createBox(limits: Partial<OutboxLimits> = {}, scheduler = new FlushScheduler()): Box {
  const socket = new TestSocket();
  let dropped = 0;
  const all = { sendQueueBytes: 1_000_000, sendQueueFrames: 8, ...limits };
  const outbox = new Outbox(socket, scheduler, all, { onDropped: (frames) => void (dropped += frames) });
  socket.outbox = outbox;
  return { outbox, socket, scheduler, dropped: () => dropped };
}

const on = (policy: SlowConsumerPolicy, channel = 'a'): FrameOrigin => ({ channel, policy });
const frameOf = (data: unknown, origin?: FrameOrigin): Frame => Frame.fromText(JSON.stringify({ type: 'm', data }), origin);

function pushAll(outbox: Outbox, count: number, origin?: FrameOrigin, from = 0): boolean[] {
  return Array.from({ length: count }, (_, index) => outbox.push(frameOf(from + index, origin)));
}

/** An outbox whose socket holds one frame, numbered -1. */
function createBlocked(limits?: Partial<OutboxLimits>): Box {
  const box = createBox(limits);
  box.socket.takesAll = false;
  box.outbox.push(frameOf(-1));
  box.outbox.flush();
  return box;
}

function drain({ outbox, socket }: Box): void {
  socket.takesAll = true;
  outbox.drained();
}

describe('Outbox', () => {
  describe('with a socket that keeps up', () => {
    it('writes what one turn gathered in one write at its end', async () => {
      const { outbox, socket } = createBox();
      pushAll(outbox, 5);
      expect(socket.writes).toHaveLength(0);
      expect(outbox.queuedFrames).toBe(5);
      await new Promise((resolve) => setImmediate(resolve));
      expect(socket.writes).toHaveLength(1);
      expect(await socket.sent()).toEqual([0, 1, 2, 3, 4]);
      expect([outbox.queuedFrames, outbox.queuedBytes]).toEqual([0, 0]);
    });

    it('takes a burst of any size within a turn, in order, without holding more than the limit', async () => {
      const { outbox, dropped, scheduler, socket } = createBox({ sendQueueFrames: 8 });
      expect(pushAll(outbox, 100)).not.toContain(false);
      expect(outbox.queuedFrames).toBeLessThanOrEqual(8);
      scheduler.flushAll();
      expect(await socket.sent()).toEqual(Array.from({ length: 100 }, (_, index) => index));
      expect(dropped()).toBe(0);
    });

    it('lets a frame through that is larger than the limit by itself', async () => {
      const { outbox, scheduler, socket } = createBox({ sendQueueBytes: 100 });
      const large = 'x'.repeat(500);
      for (const data of ['before', large, large, 'after']) expect(outbox.push(frameOf(data))).toBe(true);
      scheduler.flushAll();
      expect(await socket.sent()).toEqual(['before', large, large, 'after']);
      expect(socket.overflows).toBe(0);
    });

    it('shares one joined buffer with other outboxes that were given the same', () => {
      const scheduler = new FlushScheduler();
      const boxes = [1, 2, 3].map(() => createBox({}, scheduler));
      for (const frame of [frameOf(1), frameOf(2), frameOf(3)]) for (const { outbox } of boxes) outbox.push(frame);
      scheduler.flushAll();
      expect(new Set(boxes.map(({ socket }) => socket.writes[0])).size).toBe(1);
    });
  });

  describe('with a socket that is blocked', () => {
    it('hands nothing more to it until it has drained, then everything in one write', async () => {
      const box = createBlocked();
      pushAll(box.outbox, 5);
      box.scheduler.flushAll();
      expect(box.socket.writes).toHaveLength(1);
      expect(box.outbox.writable).toBe(false);
      expect(box.outbox.queuedFrames).toBe(6);
      drain(box);
      expect(box.socket.writes).toHaveLength(2);
      expect(await box.socket.sent()).toEqual([-1, 0, 1, 2, 3, 4]);
      expect(box.outbox.writable).toBe(true);
    });

    it('tells since when it has been blocked, and that it no longer is', () => {
      const before = performance.now();
      const box = createBlocked();
      expect(box.outbox.blockedSince).toBeGreaterThanOrEqual(before);
      drain(box);
      expect(box.outbox.blockedSince).toBe(0);
    });

    it('disconnects for the first frame over the limit on frames, counting what the socket holds', () => {
      const { outbox, socket, dropped } = createBlocked({ sendQueueFrames: 4 });
      expect(pushAll(outbox, 3, on('disconnect'))).toEqual([true, true, true]);
      expect(socket.overflows).toBe(0);
      expect(outbox.push(frameOf('one too many', on('disconnect')))).toBe(false);
      expect([socket.overflows, dropped()]).toEqual([1, 1]);
    });

    it('disconnects for a reply that finds no room, whatever the policy of the channels that fill the queue', () => {
      const { outbox, socket } = createBlocked({ sendQueueFrames: 2 });
      outbox.push(frameOf(1, on('drop')));
      expect(outbox.push(frameOf('reply'))).toBe(false);
      expect(socket.overflows).toBe(1);
    });

    it('keeps to the limit on bytes, counting what the socket holds', () => {
      const size = frameOf('xxxxx').bytes.length;
      const { outbox, socket } = createBlocked({ sendQueueBytes: frameOf(-1).bytes.length + 2 * size });
      const accepted = [1, 2, 3].map(() => outbox.push(frameOf('xxxxx', on('drop'))));
      expect(accepted).toEqual([true, true, false]);
      expect(socket.overflows).toBe(0);
    });

    it('drop: leaves out the newest, and counts them', async () => {
      const box = createBlocked({ sendQueueFrames: 3 });
      expect(pushAll(box.outbox, 5, on('drop'))).toEqual([true, true, false, false, false]);
      expect([box.dropped(), box.socket.overflows]).toEqual([3, 0]);
      drain(box);
      expect(await box.socket.sent()).toEqual([-1, 0, 1]);
    });

    it('latest: keeps the newest of each channel alone, and counts the others', async () => {
      const box = createBlocked({ sendQueueFrames: 8 });
      for (let i = 0; i < 50; i++) {
        expect(box.outbox.push(frameOf(`a${i}`, on('latest', 'a')))).toBe(true);
        expect(box.outbox.push(frameOf(`b${i}`, on('latest', 'b')))).toBe(true);
      }
      expect([box.dropped(), box.outbox.queuedFrames]).toEqual([98, 3]);
      drain(box);
      expect(await box.socket.sent()).toEqual([-1, 'a49', 'b49']);
    });

    it('latest: leaves the frames of others alone', async () => {
      const box = createBlocked();
      box.outbox.push(frameOf('other', on('disconnect', 'a')));
      box.outbox.push(frameOf('old', on('latest', 'b')));
      box.outbox.push(frameOf('reply'));
      box.outbox.push(frameOf('new', on('latest', 'b')));
      drain(box);
      expect(await box.socket.sent()).toEqual([-1, 'other', 'reply', 'new']);
    });
  });

  describe('whenWritable', () => {
    it('resolves at once while the socket keeps up', async () => {
      await expect(createBox().outbox.whenWritable()).resolves.toBeUndefined();
    });

    it('resolves for all who wait once what was waiting has been taken too', async () => {
      const box = createBlocked();
      let woken = 0;
      for (let i = 0; i < 3; i++) void box.outbox.whenWritable().then(() => woken++);
      pushAll(box.outbox, 2);
      // The socket has drained, but does not take the rest at once.
      box.outbox.drained();
      await Promise.resolve();
      expect(woken).toBe(0);
      drain(box);
      await Promise.resolve();
      expect(woken).toBe(3);
    });

    it('resolves when the outbox is closed', async () => {
      const { outbox } = createBlocked();
      const waiting = outbox.whenWritable();
      outbox.close();
      await expect(waiting).resolves.toBeUndefined();
      await expect(outbox.whenWritable()).resolves.toBeUndefined();
    });
  });

  describe('held', () => {
    it('keeps everything back, and lets it out behind the greeting', async () => {
      const { outbox, socket, scheduler } = createBox();
      outbox.hold();
      pushAll(outbox, 3);
      scheduler.flushAll();
      expect(socket.writes).toHaveLength(0);
      outbox.release(frameOf('hello'));
      expect(await socket.sent()).toEqual(['hello', 0, 1, 2]);
    });

    it('is released without a greeting too, and with nothing gathered writes nothing', () => {
      const { outbox, socket } = createBox();
      outbox.hold();
      outbox.release();
      expect(socket.writes).toHaveLength(0);
      expect(outbox.writable).toBe(true);
    });

    it('takes any number of frames, since nobody is slow yet, up to the limit on bytes', () => {
      const { outbox, socket } = createBox({ sendQueueFrames: 4, sendQueueBytes: 5 * frameOf(0).bytes.length });
      outbox.hold();
      expect(pushAll(outbox, 6)).toEqual([true, true, true, true, true, false]);
      expect(socket.overflows).toBe(1);
    });

    it('keeps to the limit on frames once it is released', () => {
      const { outbox, socket } = createBox({ sendQueueFrames: 4 });
      outbox.hold();
      socket.takesAll = false;
      outbox.release(frameOf('hello'));
      expect(pushAll(outbox, 4)).toEqual([true, true, true, false]);
    });

    it('writes nothing when it was closed meanwhile', () => {
      const { outbox, socket } = createBox();
      outbox.hold();
      pushAll(outbox, 2);
      outbox.close();
      outbox.release(frameOf('hello'));
      expect(socket.writes).toHaveLength(0);
    });
  });

  describe('closed', () => {
    it('takes nothing more, writes nothing more and counts nothing as waiting', () => {
      const { outbox, socket, scheduler, dropped } = createBox();
      pushAll(outbox, 3);
      outbox.close();
      expect(outbox.push(frameOf(9))).toBe(false);
      scheduler.flushAll();
      outbox.drained();
      expect(socket.writes).toHaveLength(0);
      expect([outbox.queuedFrames, outbox.queuedBytes, dropped()]).toEqual([0, 0, 0]);
    });

    it('counts as waiting what the socket still holds, and no more', () => {
      const { outbox } = createBlocked();
      pushAll(outbox, 2);
      outbox.close();
      expect(outbox.queuedFrames).toBe(1);
      outbox.drained();
      expect([outbox.queuedFrames, outbox.queuedBytes]).toEqual([0, 0]);
    });
  });

  describe('whatever happens to it', () => {
    type Step =
      | { kind: 'push'; size: number; origin: FrameOrigin | undefined }
      | { kind: 'flush' | 'drain' | 'block' | 'unblock' | 'hold' };

    const origin = fc.option(fc.record({ channel: fc.constantFrom('a', 'b'), policy: fc.constantFrom<SlowConsumerPolicy>('disconnect', 'drop', 'latest') }), {
      nil: undefined,
    });
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), size: fc.nat(60), origin }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'drain' as const, 'block' as const, 'unblock' as const) }) },
    );
    const anyLimits = fc.record({ sendQueueFrames: fc.integer({ min: 1, max: 6 }), sendQueueBytes: fc.integer({ min: 60, max: 400 }) });

    /** The queue as a plain list: what the socket holds, then what waits. */
    class Model {
      readonly written: number[] = [];
      ungreeted: boolean;
      mostFrames: number;
      held: Frame[] = [];
      waiting: Frame[] = [];
      blocked: boolean;
      dropped = 0;
      overflowed = false;
      takesAll = true;
      private readonly numbers = new Map<Frame, number>();

      constructor(
        readonly limits: OutboxLimits,
        held: boolean,
      ) {
        this.blocked = held;
        this.ungreeted = held;
        this.mostFrames = held ? Infinity : Math.max(1, limits.sendQueueFrames);
      }

      push(frame: Frame, number: number): boolean {
        if (this.overflowed) return false;
        this.numbers.set(frame, number);
        if (!this.blocked) {
          if (!this.fits([...this.waiting, frame])) this.flush();
          if (!this.blocked) return this.waiting.push(frame) > 0;
        }
        if (frame.origin?.policy === 'latest') {
          const kept = this.waiting.filter((other) => other.origin?.policy !== 'latest' || other.origin.channel !== frame.origin!.channel);
          this.dropped += this.waiting.length - kept.length;
          this.waiting = kept;
        }
        if (this.fits([...this.held, ...this.waiting, frame])) return this.waiting.push(frame) > 0;
        this.dropped++;
        if (frame.origin?.policy !== 'drop') {
          this.overflowed = true;
          this.waiting = [];
        }
        return false;
      }

      /** Hands all that waits to the socket. */
      flush(): void {
        if (this.blocked || this.overflowed || this.waiting.length === 0) return;
        this.written.push(...this.waiting.map((frame) => this.numbers.get(frame)!));
        this.blocked = !this.takesAll;
        this.held = this.takesAll ? [] : this.waiting;
        this.waiting = [];
      }

      drain(): void {
        // What gathered may be on its way for as long as the socket takes.
        if (this.ungreeted) this.mostFrames = Math.max(1, this.limits.sendQueueFrames, this.waiting.length);
        this.ungreeted = false;
        if (!this.blocked) return;
        this.blocked = false;
        this.held = [];
        this.flush();
      }

      private fits(frames: Frame[]): boolean {
        const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0);
        const tooMany = frames.length > this.limits.sendQueueFrames && !this.ungreeted;
        return !tooMany && (bytes <= this.limits.sendQueueBytes || frames.length === 1);
      }
    }

    it('is within its limits, in order, without repeats, and drops what its policies say', async () => {
      await fc.assert(
        fc.asyncProperty(anyLimits, fc.boolean(), fc.array(step, { maxLength: 60 }), async (bounds, startsHeld, steps) => {
          const box = createBox(bounds);
          const { outbox, socket, scheduler } = box;
          const model = new Model(bounds, startsHeld);
          if (startsHeld) outbox.hold();
          const [accepted, expected]: [boolean[], boolean[]] = [[], []];
          let number = 0;
          for (const next of steps) {
            if (next.kind === 'push') {
              const frame = frameOf({ number, pad: 'x'.repeat(next.size) }, next.origin);
              accepted.push(outbox.push(frame));
              expected.push(model.push(frame, number++));
            } else if (next.kind === 'flush') {
              scheduler.flushAll();
              model.flush();
            } else if (next.kind === 'drain') {
              outbox.drained();
              model.drain();
            } else {
              socket.takesAll = model.takesAll = next.kind === 'unblock';
            }
            expect(outbox.queuedFrames).toBe(model.held.length + model.waiting.length);
            expect(outbox.queuedFrames).toBeLessThanOrEqual(model.mostFrames);
            expect(outbox.queuedBytes <= bounds.sendQueueBytes || outbox.queuedFrames === 1).toBe(true);
            expect(socket.overflows > 0).toBe(model.overflowed);
            expect(box.dropped()).toBe(model.dropped);
          }
          expect(accepted).toEqual(expected);
          const sent = (await socket.sent()) as { number: number }[];
          expect(sent.map((data) => data.number)).toEqual(model.written);
          expect(model.written).toEqual([...new Set(model.written)].toSorted((a, b) => a - b));
        }),
        { numRuns: 500 },
      );
    });
  });
});
