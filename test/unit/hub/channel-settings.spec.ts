import { ChannelRules, type ChannelSettings } from '../../../lib/hub/channel-settings';
import { DuplicatePatternError } from '../../../lib/hub/pattern-router';

const DEFAULTS: ChannelSettings = { history: undefined, presence: undefined, policy: 'disconnect' };
const DROP: ChannelSettings = { ...DEFAULTS, policy: 'drop' };
const LATEST: ChannelSettings = { ...DEFAULTS, policy: 'latest' };

describe('ChannelRules', () => {
  let rules: ChannelRules;

  beforeEach(() => {
    rules = new ChannelRules(DEFAULTS);
  });

  it('gives the settings of the most specific pattern', () => {
    rules.define('*', DROP);
    rules.define('ticker:{name}', LATEST);
    expect(rules.for('ticker:btc')).toBe(LATEST);
    expect(rules.for('room:a')).toBe(DROP);
  });

  it('gives the defaults where no pattern matches', () => {
    rules.define('ticker:{name}', LATEST);
    expect(rules.for('room:a')).toBe(DEFAULTS);
  });

  it('declares nothing by itself', () => {
    expect(rules.isDeclared('room:a')).toBe(false);
  });

  it('takes a channel for declared when settings, a handler or a source have it', () => {
    rules.define('a:*', DROP);
    rules.declare('b:{x}', '@OnSubscribe');
    rules.declare('c', 'redisStreamSource');
    expect(['a:1', 'b:1', 'c', 'd', 'b:1:2'].map((name) => rules.isDeclared(name))).toEqual([true, true, true, false, false]);
  });

  it('changes no settings by a declaration', () => {
    rules.declare('room:{name}', '@OnSubscribe');
    expect(rules.for('room:a')).toBe(DEFAULTS);
  });

  it('lets different kinds declare the same pattern, but none twice', () => {
    rules.declare('room:{name}', '@OnSubscribe');
    rules.declare('room:{id}', '@SubscribeChannel');
    expect(() => rules.declare('room:{x}', '@OnSubscribe')).toThrow(DuplicatePatternError);
  });

  it('says where two equal patterns are', () => {
    rules.define('room:{name}', DROP);
    expect(() => rules.define('room:{id}', DROP)).toThrow('The option "channels" has the pattern "room:{id}" twice');
  });
});
