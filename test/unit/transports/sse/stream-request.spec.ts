import type { IncomingMessage } from 'node:http';
import { StreamPositions, UNPROVABLE } from '../../../../lib/transports/sse/stream-positions';
import { readStreamRequest } from '../../../../lib/transports/sse/stream-request';

const read = (url: string, id?: string): ReturnType<typeof readStreamRequest> =>
  readStreamRequest({ url, headers: id === undefined ? {} : { 'last-event-id': id } } as unknown as IncomingMessage);

const idOf = (channel: string, cursor: string): string => {
  const positions = new StreamPositions([channel]);
  positions.set(channel, cursor);
  return positions.id!;
};

describe('what a request asks of a stream', () => {
  it.each([
    ['/ws/events', []],
    ['/ws/events?', []],
    ['/ws/events?channel=a&channel=b&channel=a', ['a', 'b']],
    ['/ws/events?channel=a%3Ab&x=1', ['a:b']],
    ['/ws/events?cursor=x&channel=a', ['a']],
  ])('%s names its channels, each once', (url, channels) => {
    expect(read(url).channels).toEqual(channels);
  });

  it('gives a cursor to the channel before it; an empty one is none', () => {
    const { cursorOf } = read('/ws/events?cursor=lost&channel=a&cursor=1&channel=b&channel=c&cursor=');
    expect(['a', 'b', 'c'].map(cursorOf)).toEqual(['1', undefined, undefined]);
  });

  it('believes the header before the query, and both before a cursor', () => {
    const query = `/ws/events?channel=a&cursor=1&lastEventId=${idOf('a', '2')}`;
    expect(read(query).cursorOf('a')).toBe('2');
    expect(read(query, idOf('a', '3')).cursorOf('a')).toBe('3');
  });

  it('continues a channel that the id does not know from its cursor, else from what proves nothing', () => {
    const { cursorOf } = read('/ws/events?channel=a&cursor=1&channel=b', idOf('c', '3'));
    expect(cursorOf('a')).toBe('1');
    expect(cursorOf('b')).toBe(UNPROVABLE);
  });

  it('takes an empty id for none, as a browser does', () => {
    expect(read('/ws/events?channel=a&lastEventId=', '').cursorOf('a')).toBeUndefined();
  });
});
