import * as fc from 'fast-check';
import { FlushScheduler } from '../../../lib/hub/flush-scheduler';
import { Frame } from '../../../lib/hub/frame';
import { type ChannelMember, LocalChannel } from '../../../lib/hub/local-channel';

const FRAME = Frame.fromText('{"type":"a"}');

class Member implements ChannelMember {
  index = -1;
  received = 0;
  readonly connection: { readonly id: string };

  constructor(
    id: string,
    private readonly onDeliver?: () => boolean | void,
  ) {
    this.connection = { id };
  }

  deliver(): boolean {
    this.received++;
    return this.onDeliver?.() ?? true;
  }
}

function createChannel(): LocalChannel {
  return new LocalChannel('room:a', { history: undefined, presence: undefined, policy: 'drop' }, new FlushScheduler());
}

describe('LocalChannel', () => {
  it('gives a frame to each of its members once, and counts those that took it', () => {
    const channel = createChannel();
    const members = [new Member('a'), new Member('b', () => false), new Member('c')];
    for (const member of members) channel.add(member);
    expect(channel.fanOut(FRAME)).toBe(2);
    expect(members.map(({ received }) => received)).toEqual([1, 1, 1]);
  });

  it('leaves out those that are excluded', () => {
    const channel = createChannel();
    const members = ['a', 'b', 'c'].map((id) => new Member(id));
    for (const member of members) channel.add(member);
    expect(channel.fanOut(FRAME, undefined, ['b', 'nobody'])).toBe(2);
    expect(members.map(({ received }) => received)).toEqual([1, 0, 1]);
  });

  it('gives its frames its name and policy', () => {
    expect(createChannel().origin).toEqual({ channel: 'room:a', policy: 'drop' });
  });

  it('removes a member once', () => {
    const channel = createChannel();
    const member = new Member('a');
    channel.add(member);
    expect([channel.remove(member), channel.remove(member), channel.size, member.index]).toEqual([true, false, 0, -1]);
    expect(channel.remove(new Member('never there'))).toBe(false);
  });

  it('holds just those members that were added and not removed, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
        const channel = createChannel();
        const members = Array.from({ length: 10 }, (_, index) => new Member(String(index)));
        const present = new Set<Member>();
        let sound = true;
        for (const [adds, index] of steps) {
          const member = members[index]!;
          if (!adds) {
            sound &&= channel.remove(member) === present.delete(member);
          } else if (!present.has(member)) {
            present.add(member);
            channel.add(member);
          }
        }
        expect(sound).toBe(true);
        expect(channel.size).toBe(present.size);
        expect(channel.connectionIds().toSorted()).toEqual([...present].map(({ connection }) => connection.id).toSorted());
        expect(channel.fanOut(FRAME)).toBe(present.size);
        expect(members.map(({ received }) => received)).toEqual(members.map((member) => Number(present.has(member))));
      }),
    );
  });

  it('gives a frame to each member once and to nobody who has left, also when members leave and come while it goes out', () => {
    const script = fc.array(fc.tuple(fc.nat(9), fc.constantFrom('leave', 'come'), fc.nat(9)), { maxLength: 20 });
    fc.assert(
      fc.property(script, (reactions) => {
        const channel = createChannel();
        const left = new Set<Member>();
        let reacting = true;
        const newcomers: Member[] = [];
        const deliveredAfterLeaving: Member[] = [];
        const members: Member[] = Array.from({ length: 10 }, (_, index) => {
          const member: Member = new Member(String(index), () => {
            if (left.has(member)) deliveredAfterLeaving.push(member);
            for (const [by, what, whom] of reactions) {
              if (!reacting || by !== index) continue;
              if (what === 'leave') {
                channel.remove(members[whom]!);
                left.add(members[whom]!);
              } else {
                newcomers.push(new Member(`new ${newcomers.length}`));
                channel.add(newcomers.at(-1)!);
              }
            }
          });
          return member;
        });
        for (const member of members) channel.add(member);

        channel.fanOut(FRAME);
        expect(deliveredAfterLeaving).toEqual([]);
        for (const member of members) expect(member.received).toBe(left.has(member) ? Math.min(member.received, 1) : 1);
        expect(channel.size).toBe(members.length - left.size + newcomers.length);

        for (const member of [...members, ...newcomers]) member.received = 0;
        reacting = false;
        channel.fanOut(FRAME);
        expect(members.map(({ received }) => received)).toEqual(members.map((member) => Number(!left.has(member))));
        expect(newcomers.every(({ received }) => received === 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
