import * as fc from 'fast-check';
import { check } from '../../support/checker/check';
import type { ClientEvent, PublishRecord, Recording, ViolationKind } from '../../support/checker/recording';
import { ModelChannel, tampered } from './model';

const kinds = (recording: Recording, ...rest: ['all' | 'tail'] | []): ViolationKind[] =>
  check(recording, ...rest).violations.map(({ kind }) => kind);

/** Client 0 gets m1 to m3, misses m4 and m5, recovers them, and gets m6 live; client 1 gets everything live. */
function recovery(): Recording {
  const channel = new ModelChannel();
  for (let i = 0; i < 3; i++) channel.publish();
  channel.disconnect(0);
  channel.publish();
  channel.publish();
  channel.connect(0);
  channel.publish();
  return channel.record();
}

const indexOf = (events: readonly ClientEvent[], id: string): number =>
  events.findIndex((event) => event.kind === 'publication' && event.id === id);

const without = (id: string) => (events: ClientEvent[]) => events.toSpliced(indexOf(events, id), 1);

function withPublish(recording: Recording, id: string, change: Partial<PublishRecord>): Recording {
  const publishes = recording.publishes.map((publish) => (publish.id === id ? { ...publish, ...change } : publish));
  return { ...recording, publishes };
}

describe('a recording of a channel that behaves', () => {
  it('passes, and is counted', () => {
    const { violations, summary } = check(recovery());
    expect(violations).toEqual([]);
    expect(summary).toEqual({
      accepted: 6,
      unknown: 0,
      rejected: 0,
      delivered: 12,
      recovered: 1,
      unrecovered: 0,
      resets: 0,
      lost: 0,
    });
  });

  it('passes where a publisher does not know what became of a publication, delivered or not', () => {
    const channel = new ModelChannel();
    channel.publish('unknown');
    const recording = channel.record();
    const never = { channel: 'news', id: 'never', outcome: 'unknown', startedAt: 9, answeredAt: 10 } as const;
    expect(kinds({ ...recording, publishes: [...recording.publishes, never] })).toEqual([]);
  });

  it('passes after losses only where losses are allowed', () => {
    const channel = new ModelChannel();
    for (let i = 0; i < 4; i++) channel.publish();
    channel.disconnect(0);
    channel.loseTail(2);
    for (let i = 0; i < 3; i++) channel.publish();
    const recording = channel.record();
    expect(check(recording, 'tail')).toMatchObject({ violations: [], summary: { lost: 2, resets: 1, unrecovered: 1 } });
    expect(new Set(kinds(recording))).toEqual(new Set(['two-orders', 'order', 'lost', 'needless-reset']));
  });

  it('passes after a restart that lost everything only where that is allowed', () => {
    const channel = new ModelChannel();
    channel.publish();
    channel.loseAll();
    channel.publish();
    const recording = channel.record();
    expect(kinds(recording, 'all')).toEqual([]);
    expect(kinds(recording, 'tail')).toEqual(['lost']);
  });
});

describe('a planted fault is found', () => {
  it('a dropped publication', () => {
    expect(kinds(tampered(recovery(), 1, without('m2')))).toEqual(['gap']);
  });

  it('a publication dropped right after the join', () => {
    expect(kinds(tampered(recovery(), 1, without('m1')))).toEqual(['gap']);
  });

  it('a swapped pair', () => {
    const swap = (events: ClientEvent[]): ClientEvent[] => {
      const at = indexOf(events, 'm2');
      return events.toSpliced(at, 2, events[at + 1]!, events[at]!);
    };
    expect(kinds(tampered(recovery(), 1, swap))).toEqual(['order']);
  });

  it('a duplicate', () => {
    const twice = (events: ClientEvent[]): ClientEvent[] => events.toSpliced(indexOf(events, 'm4'), 0, events[indexOf(events, 'm3')]!);
    expect(kinds(tampered(recovery(), 1, twice))).toEqual(['duplicate']);
  });

  it('a lost tail', () => {
    expect(kinds(tampered(recovery(), 1, without('m6')))).toEqual(['lost-tail']);
  });

  it('a client that got nothing at all', () => {
    expect(kinds(tampered(recovery(), 1, () => []))).toEqual(['lost-tail']);
  });

  it('a false "recovered": the first of what was missed does not follow', () => {
    expect(kinds(tampered(recovery(), 0, without('m4')))).toEqual(['false-recovery']);
  });

  it('a false "recovered" after which nothing follows', () => {
    const channel = new ModelChannel();
    channel.publish();
    channel.disconnect(0);
    channel.publish();
    expect(kinds(tampered(channel.record(), 0, without('m2')))).toEqual(['false-recovery']);
  });

  it('a false "recovered" in another life of the channel', () => {
    const channel = new ModelChannel();
    channel.publish();
    channel.disconnect(0);
    channel.loseAll();
    channel.publish();
    channel.connect(0);
    channel.publish();
    expect(kinds(tampered(channel.record(), 0, claimed), 'all')).toEqual(['false-recovery']);
  });

  it('a false "recovered" past a lost tail, although the numbers fit', () => {
    const channel = new ModelChannel();
    for (let i = 0; i < 4; i++) channel.publish();
    channel.disconnect(0);
    channel.loseTail(2);
    channel.publish();
    channel.publish();
    channel.connect(0);
    channel.publish();
    const recording = channel.record();
    expect(kinds(recording, 'tail')).toEqual([]);
    expect(new Set(kinds(tampered(recording, 0, claimed), 'tail'))).toEqual(new Set(['false-recovery']));
  });

  it('the same when no honest client tells of it, only the publisher', () => {
    const channel = new ModelChannel(1);
    for (let i = 0; i < 2; i++) channel.publish();
    channel.disconnect(0);
    channel.loseTail(1);
    channel.publish();
    channel.connect(0);
    channel.publish();
    expect(kinds(tampered(channel.record(), 0, claimed), 'tail')).toEqual(['false-recovery']);
  });

  it('an answer to a cursor that says nothing about recovery, or stands elsewhere', () => {
    const answered = (change: object) => (events: ClientEvent[]) =>
      events.map((event) => (event.kind === 'subscribed' && event.asked !== undefined ? { ...event, ...change } : event));
    expect(kinds(tampered(recovery(), 0, answered({ recovered: undefined })))).toContain('false-recovery');
    expect(kinds(tampered(recovery(), 0, answered({ cursor: 'epoch1-5-t5' })))).toContain('false-recovery');
  });

  it('a needless "reset" and a needless "recovered: false"', () => {
    const reset: ClientEvent = { kind: 'reset', connection: 1, cursor: 'epoch1-6-t6' };
    expect(kinds(tampered(recovery(), 1, (events) => [...events, reset]))).toEqual(['needless-reset']);
    const forgotten = (events: ClientEvent[]): ClientEvent[] =>
      without('m4')(without('m5')(events)).map((event) =>
        event.kind === 'subscribed' && event.recovered ? { ...event, recovered: false, cursor: 'epoch1-5-t5' } : event,
      );
    expect(kinds(tampered(recovery(), 0, forgotten))).toEqual(['needless-reset']);
  });

  it('a publication that was rejected, or never published', () => {
    expect(kinds(withPublish(recovery(), 'm2', { outcome: 'rejected', cursor: undefined }))).toEqual(['ghost', 'ghost']);
    const recording = recovery();
    const publishes = recording.publishes.filter(({ id }) => id !== 'm2');
    expect(kinds({ ...recording, publishes })).toEqual(['ghost', 'ghost']);
  });

  it('a publication that stands elsewhere than the publisher was told', () => {
    expect(kinds(withPublish(recovery(), 'm2', { cursor: 'epoch1-2-other' }))).toContain('two-orders');
  });

  it('a publication that was published twice', () => {
    const again = (events: ClientEvent[]): ClientEvent[] =>
      events.map((event) => (event.kind === 'publication' && event.id === 'm3' ? { ...event, id: 'm2' } : event));
    expect(kinds(tampered(recovery(), 1, again))).toEqual(expect.arrayContaining(['duplicate', 'two-orders']));
  });

  it('an accepted publication that stands before what was accepted before it was published', () => {
    expect(kinds(withPublish(recovery(), 'm2', { startedAt: 100, answeredAt: 101 }))).toContain('order');
  });

  it('an accepted publication that is gone', () => {
    const recording = recovery();
    const late = { channel: 'news', id: 'm7', outcome: 'accepted', cursor: 'epoch1-7-t7', startedAt: 90, answeredAt: 91 } as const;
    expect(kinds({ ...recording, publishes: [...recording.publishes, late] })).toEqual(['lost']);
  });

  it('a publication or a reset on a connection that has not joined', () => {
    const elsewhere = (events: ClientEvent[]): ClientEvent[] =>
      events.map((event) => (event.kind === 'publication' && event.id === 'm6' ? { ...event, connection: 9 } : event));
    expect(kinds(tampered(recovery(), 1, elsewhere))).toContain('order');
    const reset: ClientEvent = { kind: 'reset', connection: 9, cursor: 'epoch1-6-t6' };
    expect(kinds(tampered(recovery(), 1, (events) => [...events, reset]), 'tail')).toEqual(['order']);
  });

  it('a cursor that is none', () => {
    const events: ClientEvent[] = [{ kind: 'subscribed', connection: 1, cursor: 'x' }];
    expect(kinds(tampered(recovery(), 1, () => events))).toEqual(['order', 'lost-tail']);
  });
});

describe('in any history', () => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('accepted', 'unknown', 'rejected').map((outcome) => ({ do: 'publish', outcome }) as const) },
    { weight: 2, arbitrary: fc.nat(2).map((index) => ({ do: 'disconnect', index }) as const) },
    { weight: 2, arbitrary: fc.nat(2).map((index) => ({ do: 'connect', index }) as const) },
    { weight: 1, arbitrary: fc.nat(3).map((length) => ({ do: 'loseTail', length }) as const) },
    { weight: 1, arbitrary: fc.constant({ do: 'loseAll' } as const) },
  );
  const histories = fc.array(act, { maxLength: 60 }).map((acts) => {
    const channel = new ModelChannel(3);
    for (const step of acts) {
      if (step.do === 'publish') channel.publish(step.outcome);
      else if (step.do === 'loseTail') channel.loseTail(step.length);
      else if (step.do === 'loseAll') channel.loseAll();
      else channel[step.do](step.index);
    }
    return channel.record();
  });

  it('a channel that behaves is found without fault', () => {
    fc.assert(fc.property(histories, (recording) => expect(check(recording, 'all').violations).toEqual([])), { numRuns: 300 });
  });

  it('a publication that is dropped, doubled or swapped with the next is found', () => {
    const tampers = {
      drop: (events: ClientEvent[], at: number) => events.toSpliced(at, 1),
      double: (events: ClientEvent[], at: number) => events.toSpliced(at, 0, events[at]!),
      swap: (events: ClientEvent[], at: number) => events.toSpliced(at, 2, events[at + 1]!, events[at]!),
    };
    const planted = fc.record({ recording: histories, tamper: fc.constantFrom('drop', 'double', 'swap'), which: fc.nat() });
    let found = 0;
    fc.assert(
      fc.property(planted, ({ recording, tamper, which }) => {
        const { events } = recording.clients[0]!;
        const places = [...events.keys()].filter((at) => {
          const proven = isFollowed(events, at) || tamper === 'double';
          return events[at]!.kind === 'publication' && proven;
        });
        if (places.length === 0) return;
        const bad = tampered(recording, 0, (all) => tampers[tamper](all, places[which % places.length]!));
        expect(check(bad, 'all').violations).not.toEqual([]);
        found++;
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(20);
  });
});

/** Another publication comes after it on the same connection: with a reset in between, its loss would be nobody's fault. */
function isFollowed(events: readonly ClientEvent[], at: number): boolean {
  return events[at + 1]?.kind === 'publication';
}

/** Says `recovered: true` wherever it was false. */
function claimed(events: ClientEvent[]): ClientEvent[] {
  return events.map((event) =>
    event.kind === 'subscribed' && event.recovered === false ? { ...event, recovered: true, cursor: event.asked! } : event,
  );
}
