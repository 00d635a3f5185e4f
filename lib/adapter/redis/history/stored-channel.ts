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
  /** How many entries besides are none of ours: somebody else wrote to the stream. */
  readonly foreign: number;
}

const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

type Reply = [Buffer, Buffer, Buffer, Buffer, Buffer, [Buffer, Buffer[]][]];

/** Reads the answer of the script READ. */
export function readStoredChannel(reply: unknown): StoredChannel {
  const [epochBytes, offset, tag, link, oldest, rawEntries] = reply as Reply;
  const epoch = epochBytes.toString('latin1');
  const entries = rawEntries.map(([id, fields]) => readEntry(epoch, id, fields)).filter((entry) => entry !== undefined);
  return {
    top: { epoch, offset: Number(offset), tag: tag.toString('latin1') },
    link: link.length === 0 ? undefined : link.toString('latin1'),
    oldest: oldest.length === 0 ? undefined : Number.parseInt(oldest.toString('latin1'), 10),
    entries,
    foreign: rawEntries.length - entries.length,
  };
}

/**
 * The script APPEND writes the fields in this order; anything else in the stream is not ours.
 *
 * @returns undefined for what cannot be sent on: there is a hole in the history then
 */
function readEntry(epoch: string, id: Buffer, fields: readonly Buffer[]): StoredEntry | undefined {
  const [offset, minor] = id.toString('latin1').split('-');
  const [, , , before, , tag, , payload, , exclude] = fields;
  const names = [2, 4, 6].map((index) => fields[index]?.toString('latin1')).join('');
  if (minor !== '0' || !before || !tag || !payload) return undefined;
  if (names !== 'btp' || payload[0] !== BRACE_OPEN || payload.at(-1) !== BRACE_CLOSE) return undefined;
  const excluded = exclude && readStrings(exclude);
  if (exclude && !excluded) return undefined;
  return {
    position: { epoch, offset: Number(offset), tag: tag.toString('latin1') },
    previousTag: before.toString('latin1'),
    payload,
    exclude: excluded,
  };
}

function readStrings(json: Buffer): string[] | undefined {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'));
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
