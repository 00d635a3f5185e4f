import { deepEqual } from 'node:assert/strict';
import * as fc from 'fast-check';
import type { HistorySettings } from '../../../../lib/adapter/hub-adapter';
import { ChannelHistory } from '../../../../lib/adapter/memory/channel-history';
import { TagSource } from '../../../../lib/adapter/tag-source';
import type { Position } from '../../../../lib/protocol/cursor';

const payload = Buffer.from('{"type":"m"}');

type Step =
  | { kind: 'append'; count: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'read'; from: number }
  | { kind: 'page'; from: number; limit: number; reverse: boolean };

const from = fc.nat(200);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.constantFrom(1, 1, 2, 80) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('read' as const), from }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('page' as const), from, limit: fc.integer({ min: 1, max: 4 }), reverse: fc.boolean() }) },
);
const anySettings: fc.Arbitrary<HistorySettings> = fc.record({
  size: fc.integer({ min: 1, max: 5 }),
  ttl: fc.integer({ min: 20, max: 100 }),
  maxAge: fc.option(fc.integer({ min: 10, max: 100 }), { nil: undefined }),
});

/** A history as a list of all that was ever appended, and how many of the newest are held. */
class Model {
  readonly history = new ChannelHistory(new TagSource(), 0);
  readonly positions: Position[];
  private readonly times: number[] = [];
  private held = 0;
  now = 0;

  constructor(private readonly settings: HistorySettings) {
    this.positions = [this.history.read({ last: 0 }, settings, 0).position];
  }

  append(): void {
    this.forget();
    this.positions.push(this.history.append(payload, this.settings, this.now));
    this.times.push(this.now);
    this.held = Math.min(this.held + 1, this.settings.size);
  }

  read(index: number): void {
    this.forget();
    const read = this.history.read({ after: this.positions[index]! }, this.settings, this.now);
    const missed = this.positions.length - 1 - index;
    deepEqual(read.recovered, missed <= this.held);
    deepEqual(read.publications.map(({ position }) => position), missed <= this.held ? this.positions.slice(index + 1) : []);
    deepEqual(read.position, this.positions.at(-1));
  }

  page(index: number, limit: number, reverse: boolean): void {
    this.forget();
    const after = this.positions[index]!;
    const page = this.history.page({ after, limit, reverse }, this.settings, this.now);
    const isProven = this.positions.length - 1 - index <= this.held;
    const held = this.held === 0 ? [] : this.positions.slice(-this.held);
    const upwards = isProven ? held.filter(({ offset }) => offset > after.offset) : held;
    const downwards = held.filter(({ offset }) => offset < after.offset).toReversed();
    const expected = reverse ? downwards : upwards;
    deepEqual(page.publications.map(({ position }) => position), expected.slice(0, limit));
    // In reverse, before the oldest that is held is the end, and before what is held there is nothing.
    deepEqual(page.complete, expected.length <= limit && (reverse || isProven));
  }

  private forget(): void {
    const { ttl, maxAge = Infinity } = this.settings;
    if (this.held > 0 && this.now - this.times.at(-1)! >= ttl) this.held = 0;
    while (this.held > 0 && this.now - this.times.at(-this.held)! >= maxAge) this.held--;
  }
}

function run(model: Model, steps: readonly Step[]): void {
  for (const each of steps) {
    const index = 'from' in each ? model.positions.length - 1 - (each.from % Math.min(12, model.positions.length)) : 0;
    if (each.kind === 'append') for (let i = 0; i < each.count; i++) model.append();
    else if (each.kind === 'wait') model.now += each.ms;
    else if (each.kind === 'read') model.read(index);
    else model.page(index, each.limit, each.reverse);
  }
}

describe('the history of a channel in memory', () => {
  it('recovers and pages as a list would, whatever its size, time to live and maximal age are', () => {
    fc.assert(
      fc.property(anySettings, fc.array(step, { minLength: 1, maxLength: 60 }), (each, steps) => {
        const model = new Model(each);
        run(model, steps);
        expect(model.positions.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
