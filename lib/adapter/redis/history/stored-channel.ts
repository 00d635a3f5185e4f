import type { Position } from '../../../protocol/cursor';
import type { HistoryEntry } from '../../continuity';

/** An entry of a history in Redis. */
export interface StoredEntry extends HistoryEntry {
  readonly exclude: readonly string[] | undefined;
}

/** What one look at a channel's history gives. */
export interface StoredChannel {
  readonly top: Position;
  /** The cursor that the channel stood at when it was cleared; undefined after the first publication since. */
  readonly link: string | undefined;
  /** Offset of the oldest publication that Redis has, where it was asked for. */
  readonly oldest: number | undefined;
  /** In the order that was asked for. */
  readonly entries: readonly StoredEntry[];
}

type Reply = [Buffer, Buffer, Buffer, Buffer, Buffer, [Buffer, Buffer[]][]];

/** Reads the answer of the script READ. */
export function readStoredChannel(reply: unknown): StoredChannel {
  const [epochBytes, offset, tag, link, oldest, rawEntries] = reply as Reply;
  const epoch = epochBytes.toString('latin1');
  const entries = rawEntries.map(([id, fields]) => readEntry(epoch, id, fields));
  return {
    top: { epoch, offset: Number(offset), tag: tag.toString('latin1') },
    link: link.length === 0 ? undefined : link.toString('latin1'),
    oldest: oldest.length === 0 ? undefined : Number.parseInt(oldest.toString('latin1'), 10),
    entries: entries.filter((entry) => entry !== undefined),
  };
}

/** The script APPEND writes the fields in this order; anything else in the stream is not ours. */
function readEntry(epoch: string, id: Buffer, fields: readonly Buffer[]): StoredEntry | undefined {
  const [, , , before, , tag, , payload, , exclude] = fields;
  if (!before || !tag || !payload) return undefined;
  return {
    position: { epoch, offset: Number.parseInt(id.toString('latin1'), 10), tag: tag.toString('latin1') },
    previousTag: before.toString('latin1'),
    payload,
    exclude: exclude && (JSON.parse(exclude.toString('utf8')) as string[]),
  };
}
