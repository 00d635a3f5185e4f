import type { IncomingMessage } from 'node:http';
import { readEventId, UNPROVABLE } from './stream-positions';

/** What a client asks of a stream. */
export interface StreamRequest {
  /** In the order they are named in, each once. */
  readonly channels: readonly string[];
  /** Where a channel is to be continued from; undefined: from now. With an id, each has to be continued from somewhere. */
  readonly cursorOf: (channel: string) => string | undefined;
}

/**
 * Reads `?channel=a&cursor=…&channel=b`, where a cursor belongs to the channel before it, and the id of the last event:
 * the header that a browser sends when it reconnects, or `?lastEventId=`. The id is later than the URL and goes first.
 */
export function readStreamRequest(request: IncomingMessage): StreamRequest {
  const cursors = new Map<string, string | undefined>();
  let channel: string | undefined;
  let queryId: string | undefined;
  for (const [name, value] of queryOf(request.url ?? '')) {
    if (name === 'channel') cursors.set((channel = value), cursors.get(value));
    else if (name === 'cursor' && channel !== undefined) cursors.set(channel, value === '' ? undefined : value);
    else if (name === 'lastEventId') queryId = value;
  }
  const id = headerOf(request) ?? queryId;
  const resumed = id === undefined || id === '' ? undefined : readEventId(id);
  return {
    channels: [...cursors.keys()],
    cursorOf: (name) => resumed?.(name) ?? cursors.get(name) ?? (resumed && UNPROVABLE),
  };
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
}

function headerOf({ headers }: IncomingMessage): string | undefined {
  const value = headers['last-event-id'];
  return Array.isArray(value) ? value[0] : value;
}
