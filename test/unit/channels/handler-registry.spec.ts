import type { Handler } from '../../../lib/channels/handler';
import { DuplicateMessageTypeError, HandlerRegistry, ReservedMessageTypeError } from '../../../lib/channels/handler-registry';
import { DuplicatePatternError } from '../../../lib/hub/pattern-router';
import { ChannelPatternError } from '../../../lib/protocol/channel-pattern';
import { thrownBy } from '../../support/thrown-by';

function handlerOf(name: string, pattern = ''): Handler {
  return { name, pattern, options: {}, invoke: () => Promise.resolve(undefined) };
}

describe('HandlerRegistry', () => {
  let registry: HandlerRegistry;

  beforeEach(() => {
    registry = new HandlerRegistry();
  });

  it.each(['subscribe', 'unsubscribe', 'publish'] as const)('finds the most specific %s handler of a channel', (kind) => {
    const [any, one] = [handlerOf('Any.on', 'room:{name}'), handlerOf('One.on', 'room:lobby')];
    registry.add(kind, any);
    registry.add(kind, one);
    expect(registry[kind].find('room:lobby')?.value).toBe(one);
    expect(registry[kind].find('room:other')?.value).toBe(any);
    expect(registry[kind].find('other')).toBeUndefined();
  });

  it.each(['handshake', 'connect', 'disconnect'] as const)('keeps all %s handlers, in their order', (kind) => {
    const handlers = ['A.on', 'B.on'].map((name) => handlerOf(name));
    for (const handler of handlers) registry.add(kind, handler);
    expect(registry[kind]).toEqual(handlers);
  });

  it('lets the same pattern have a handler of each kind, and one alone', () => {
    for (const kind of ['subscribe', 'unsubscribe', 'publish'] as const) registry.add(kind, handlerOf('A.on', 'room:{a}'));
    expect(() => registry.add('publish', handlerOf('B.on', 'room:{b}'))).toThrow(DuplicatePatternError);
    expect(() => registry.add('publish', handlerOf('B.on', 'room:{b'))).toThrow(ChannelPatternError);
  });

  it('names both handlers of a type', () => {
    registry.add('message', handlerOf('A.on', 'sum'));
    const error = thrownBy(() => registry.add('message', handlerOf('B.on', 'sum')));
    expect(error).toBeInstanceOf(DuplicateMessageTypeError);
    expect(error).toMatchObject({ type: 'sum', handlers: ['A.on', 'B.on'] });
    expect((error as Error).message).toContain('A.on and B.on');
    expect(registry.message.get('sum')?.name).toBe('A.on');
  });

  it.each(['subscribe', 'unsubscribe', 'ping', 'presence', 'history', 'refresh'])('leaves the type %s to the protocol', (type) => {
    const error = thrownBy(() => registry.add('message', handlerOf('A.on', type)));
    expect(error).toBeInstanceOf(ReservedMessageTypeError);
    expect(error).toMatchObject({ type, handler: 'A.on' });
  });

  it.each(['__proto__', 'constructor', 'toString'])('takes the type %s for any other', (type) => {
    expect(registry.message.get(type)).toBeUndefined();
    registry.add('message', handlerOf('A.on', type));
    expect(registry.message.get(type)?.name).toBe('A.on');
  });
});
