import { RecentPositions } from '../../../../lib/adapter/redis/live/recent-positions';
import type { Position } from '../../../../lib/protocol/cursor';

const at = (offset: number, tag = `t${offset}`, epoch = 'e'): Position => ({ epoch, offset, tag });

describe('the positions that a channel has passed through', () => {
  it('are those from where it began on', () => {
    const positions = new RecentPositions();
    expect(positions.has(at(0, ''))).toBe(false);
    positions.restart(at(4));
    for (let offset = 5; offset <= 8; offset++) positions.add(at(offset));
    expect([3, 4, 5, 8, 9].map((offset) => positions.has(at(offset)))).toEqual([false, true, true, true, false]);
  });

  it('are told apart by tag and epoch', () => {
    const positions = new RecentPositions();
    positions.restart(at(4));
    expect([at(4), at(4, 'other'), at(4, 't4', 'other')].map((position) => positions.has(position))).toEqual([true, false, false]);
  });

  it('begin anew where one does not follow the one before', () => {
    const positions = new RecentPositions();
    positions.restart(at(4));
    positions.add(at(1, 't1', 'next'));
    expect([positions.has(at(4)), positions.has(at(1, 't1', 'next'))]).toEqual([false, true]);
    positions.add(at(3, 't3', 'next'));
    expect([positions.has(at(1, 't1', 'next')), positions.has(at(3, 't3', 'next'))]).toEqual([false, true]);
  });

  it('are all but the newest forgotten when they are trimmed, and those that follow are known again', () => {
    const positions = new RecentPositions();
    positions.trim();
    expect(positions.has(at(0, ''))).toBe(false);
    positions.restart(at(4));
    for (let offset = 5; offset <= 1000; offset++) positions.add(at(offset));
    positions.trim();
    positions.add(at(1001));
    expect([999, 1000, 1001].map((offset) => positions.has(at(offset)))).toEqual([false, true, true]);
  });

  it('are forgotten after so many, and what takes their place is not taken for them', () => {
    const positions = new RecentPositions();
    positions.restart(at(0, ''));
    for (let offset = 1; offset <= 1000; offset++) positions.add(at(offset));
    const known = Array.from({ length: 1001 }, (_, offset) => positions.has(at(offset))).filter(Boolean).length;
    expect(known).toBe(256);
    expect([positions.has(at(744)), positions.has(at(745)), positions.has(at(1000))]).toEqual([false, true, true]);
    positions.restart(at(2));
    expect([positions.has(at(1)), positions.has(at(2)), positions.has(at(1000))]).toEqual([false, true, false]);
  });
});
