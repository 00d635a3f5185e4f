/**
 * A place in a recoverable channel.
 *
 * The number alone would not do: after a failover that lost a tail, offsets are used again for other publications.
 * `tag` names the publication at the offset, so that a reused offset does not pass for continuity.
 *
 * @publicApi
 */
export interface Position {
  /** Names one life of the channel's history; another epoch shares nothing with this one. */
  readonly epoch: string;
  /** Count of publications up to and including this one; 0 before the first. */
  readonly offset: number;
  /** Orders what has the same offset, where the numbers are not the server's own, as in a stream that it reads. @default 0 */
  readonly minor?: number;
  /** A short random name of the publication at `offset`; empty at offset 0. */
  readonly tag: string;
}

const MAX_CURSOR_LENGTH = 128;
const PART = /^[A-Za-z0-9_]*$/;
const OFFSET = /^(?:0|[1-9][0-9]{0,14})(?:\.[1-9][0-9]{0,14})?$/;

/** The wire form, `epoch-offset-tag`, the offset with `.minor` where there is one: opaque to clients. */
export function encodeCursor(position: Position): string {
  const { epoch, offset, minor, tag } = position;
  return minor ? `${epoch}-${offset}.${minor}-${tag}` : `${epoch}-${offset}-${tag}`;
}

/** @returns the position, or undefined when `cursor` was not made by {@link encodeCursor} */
export function decodeCursor(cursor: unknown): Position | undefined {
  if (typeof cursor !== 'string' || cursor.length > MAX_CURSOR_LENGTH) return undefined;
  const parts = cursor.split('-');
  if (parts.length !== 3) return undefined;
  const [epoch, offset, tag] = parts as [string, string, string];
  if (epoch === '' || !PART.test(epoch) || !PART.test(tag) || !OFFSET.test(offset)) return undefined;
  const [major, minor] = offset.split('.');
  return minor === undefined ? { epoch, offset: Number(major), tag } : { epoch, offset: Number(major), minor: Number(minor), tag };
}

/** Negative where `a` comes before `b` in one life of a channel. */
export function comparePositions(a: Position, b: Position): number {
  return a.offset - b.offset || (a.minor ?? 0) - (b.minor ?? 0);
}
