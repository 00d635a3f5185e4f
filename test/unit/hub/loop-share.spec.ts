import { LoopShare } from '../../../lib/hub/loop-share';

/** Uses up a share at once. */
const BUSY_SHARE = 0;

describe('LoopShare', () => {
  it('grants work at once while there is time in the turn', () => {
    const loop = new LoopShare(Infinity);
    expect([loop.take(), loop.take()]).toEqual([undefined, undefined]);
  });

  it('lets others have the loop between slices, and serves who waits in turn', async () => {
    const loop = new LoopShare(BUSY_SHARE);
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      for (let slice = 1; slice <= 3; slice++) {
        await loop.take();
        order.push(`${name}${slice}`);
      }
    };
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all([work('a'), work('b')]);
    done = true;
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it('is idle again when nobody waits', async () => {
    const loop = new LoopShare(BUSY_SHARE);
    await loop.take();
    await loop.take();
    const again = loop.take();
    expect(again).toBeInstanceOf(Promise);
    await expect(again).resolves.toBeUndefined();
  });
});
