import * as fc from 'fast-check';
import { channelNameRule, isChannelName } from '../../../lib/protocol/channel-name';

describe('isChannelName', () => {
  it.each(['a', 'room:lobby', 'A-Z_0.9', '::', '__proto__', 'a'.repeat(256)])('accepts %j', (name) => {
    expect(isChannelName(name)).toBe(true);
  });

  it.each(['', ' ', 'room lobby', 'room/lobby', 'room:{name}', '*', 'räum', 'a\n', '\na', 'a\u0000', 'a'.repeat(257)])(
    'refuses %j',
    (name) => {
      expect(isChannelName(name)).toBe(false);
    },
  );

  it.each([undefined, null, 1, {}, ['room'], Symbol('room')])('refuses what is no string: %p', (name) => {
    expect(isChannelName(name)).toBe(false);
  });

  it('keeps to the length it is given', () => {
    expect(isChannelName('abcd', 4)).toBe(true);
    expect(isChannelName('abcde', 4)).toBe(false);
    expect(isChannelName('a'.repeat(300), 300)).toBe(true);
  });

  it('judges any text as the rule says, character by character', () => {
    const allowed = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.:-]{0,300}$/)), (name) => {
        const expected = name.length >= 1 && name.length <= 256 && Array.from(name).every((character) => allowed.has(character));
        expect(isChannelName(name)).toBe(expected);
      }),
    );
  });
});

describe('channelNameRule', () => {
  it('names the longest length', () => {
    expect(channelNameRule()).toContain('1 to 256 characters');
    expect(channelNameRule(64)).toContain('1 to 64 characters');
  });
});
