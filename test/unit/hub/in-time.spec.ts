import { inTime } from '../../../lib/hub/in-time';
import { deferred } from '../../support/wait-for';

describe('inTime', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('gives what comes of the work, and leaves no timer behind', async () => {
    const late = jest.fn();
    expect(await inTime(Promise.resolve(1), 1000, late)).toBe(1);
    await expect(inTime(Promise.reject(new Error('no')), 1000, late)).rejects.toThrow('no');
    expect(late).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives what takes its place when it is late, whatever becomes of it then', async () => {
    const work = deferred<number>();
    const waiting = inTime(work.promise, 1000, () => 2);
    jest.advanceTimersByTime(1000);
    expect(await waiting).toBe(2);
    work.reject(new Error('too late'));
    await expect(work.promise).rejects.toThrow('too late');
  });

  it('throws what is thrown in its place', async () => {
    const waiting = inTime(new Promise(() => undefined), 1000, () => {
      throw new RangeError('late');
    });
    jest.advanceTimersByTime(1000);
    await expect(waiting).rejects.toThrow(RangeError);
  });
});
