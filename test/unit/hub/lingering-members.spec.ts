import * as fc from 'fast-check';
import { LingeringMembers } from '../../../lib/hub/lingering-members';
import type { Subscription } from '../../../lib/hub/subscription';

/** As much of a subscription as decides who it is. */
function member(connectionId: string, gracePeriod: number, active = true): Subscription {
  const channel = { name: 'room', settings: { presence: { announce: true, gracePeriod } } };
  return { active, channel, connection: { id: connectionId } } as unknown as Subscription;
}

describe('LingeringMembers', () => {
  let left: string[];
  let lingering: LingeringMembers;
  const giveUp = ({ connection }: Subscription): void => void left.push(connection.id);

  beforeEach(() => {
    jest.useFakeTimers();
    left = [];
    lingering = new LingeringMembers(giveUp);
  });
  afterEach(() => jest.useRealTimers());

  it('gives each up after its own period', () => {
    lingering.add(member('long', 500), 500);
    lingering.add(member('short', 100), 100);
    jest.advanceTimersByTime(99);
    expect(left).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(left).toEqual(['short']);
    jest.advanceTimersByTime(400);
    expect([left, lingering.size, jest.getTimerCount()]).toEqual([['short', 'long'], 0, 0]);
  });

  it('needs one timer for a period, however many wait', () => {
    for (let i = 0; i < 1000; i++) lingering.add(member(`m${i}`, 100), 100);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(100);
    expect(left).toHaveLength(1000);
  });

  it('keeps who is back, and does not take somebody for it who is gone again', () => {
    lingering.add(member('a', 100), 100);
    lingering.add(member('b', 100), 100);
    expect(lingering.takeBack(member('a', 100))).toBe(true);
    expect(lingering.takeBack(member('b', 100, false))).toBe(false);
    jest.advanceTimersByTime(100);
    expect(left).toEqual(['b']);
  });

  it('begins anew for who is lost again', () => {
    lingering.add(member('a', 100), 100);
    jest.advanceTimersByTime(60);
    lingering.add(member('a', 100), 100);
    jest.advanceTimersByTime(60);
    expect([left, lingering.size]).toEqual([[], 1]);
    jest.advanceTimersByTime(40);
    expect([left, lingering.size]).toEqual([['a'], 0]);
  });

  it('gives up at once what it has no room for', () => {
    lingering = new LingeringMembers(giveUp, 1);
    lingering.add(member('a', 100), 100);
    lingering.add(member('b', 100), 100);
    expect(left).toEqual(['b']);
  });

  it('gives up everyone when it is flushed, and leaves no timer', () => {
    for (const period of [100, 200, 100]) lingering.add(member(`${period}`, period), period);
    lingering.flush();
    expect([left.toSorted(), lingering.size, jest.getTimerCount()]).toEqual([['100', '200'], 0, 0]);
  });

  it('gives each up exactly once, neither early nor late, whoever comes and goes', () => {
    const step = fc.record({ wait: fc.nat(80), who: fc.nat(4), back: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        left = [];
        lingering = new LingeringMembers(giveUp);
        const due = new Map<string, number>();
        const expected: string[] = [];
        const takenBack: [boolean, boolean][] = [];
        for (const { wait, who, back } of steps) {
          jest.advanceTimersByTime(wait);
          for (const [id, until] of due) {
            if (until > Date.now()) continue;
            due.delete(id);
            expected.push(id);
          }
          const id = `m${who}`;
          const period = who < 2 ? 50 : 120;
          expect(left.toSorted()).toEqual(expected.toSorted());
          if (back) {
            takenBack.push([lingering.takeBack(member(id, period)), due.delete(id)]);
            continue;
          }
          lingering.add(member(id, period), period);
          due.set(id, Date.now() + period);
        }
        expect(takenBack.filter(([taken, wasDue]) => taken !== wasDue)).toEqual([]);
        expect(lingering.size).toBe(due.size);
        lingering.flush();
      }),
      { numRuns: 200 },
    );
  });
});
