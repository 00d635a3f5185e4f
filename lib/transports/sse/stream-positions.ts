import { createHash } from 'node:crypto';

/** Hexadecimal would be half as long again; 48 bits tell the channels of one stream apart. */
const KEY_LENGTH = 8;
const ENTRY = /^([\w-]{8})([\w.~%!'()*-]{1,128})$/;
/** No id of ours is longer, and nothing longer is looked at. */
const MAX_ID_LENGTH = 8192;

/** What a channel is continued from when its cursor cannot be read: no history proves it, so the answer is `recovered: false`. */
export const UNPROVABLE = '-';

/**
 * Where a stream is, over all of its channels: the `id:` of its events. An id holds for each channel a short hash of its
 * name and the cursor of what was sent last, so it stays short however long the names are. The hash need not be proof
 * against forgery: a cursor that is not the channel's own is refused by its history.
 */
export class StreamPositions {
  private readonly keys = new Map<string, string>();
  private readonly cursors = new Map<string, string>();
  private encoded: string | undefined;

  /** @param channels those that the stream was opened with; on others, which a client could not ask for again, nothing is kept */
  constructor(channels: Iterable<string>) {
    for (const channel of channels) this.keys.set(channel, keyOf(channel));
  }

  get(channel: string): string | undefined {
    return this.cursors.get(channel);
  }

  /** @param cursor undefined: nothing to continue from */
  set(channel: string, cursor: string | undefined): void {
    if (!this.keys.has(channel)) return;
    if (cursor === undefined) this.cursors.delete(channel);
    else this.cursors.set(channel, cursor);
    this.encoded = undefined;
  }

  /** The id as of now; undefined when nothing can be continued. */
  get id(): string | undefined {
    if (this.cursors.size === 0) return undefined;
    return (this.encoded ??= this.encode());
  }

  private encode(): string {
    let id = '';
    for (const [channel, cursor] of this.cursors) {
      id += `${id === '' ? '' : ','}${this.keys.get(channel)!}${encodeURIComponent(cursor)}`;
    }
    return id;
  }
}

/**
 * Reads an id that a client sent.
 *
 * @returns the cursor by channel; undefined for a channel that the id says nothing of, as none does when it is none of ours
 */
export function readEventId(id: string): (channel: string) => string | undefined {
  const cursors = parseEventId(id);
  return (channel) => cursors.get(keyOf(channel));
}

function parseEventId(id: string): Map<string, string> {
  const cursors = new Map<string, string>();
  if (id.length > MAX_ID_LENGTH) return cursors;
  for (const entry of id.split(',')) {
    const [, key, cursor] = ENTRY.exec(entry) ?? [];
    if (key !== undefined && cursor !== undefined) cursors.set(key, decode(cursor));
  }
  return cursors;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return UNPROVABLE;
  }
}

function keyOf(channel: string): string {
  return createHash('sha256').update(channel).digest('base64url').slice(0, KEY_LENGTH);
}
