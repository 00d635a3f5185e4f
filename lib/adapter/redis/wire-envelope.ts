import { currentTimestamp } from '../../protocol/envelope';
import { decodeCursor, type Position } from '../../protocol/cursor';

/** A message between instances. */
export interface WireMessage {
  readonly sourceId: string;
  /** The message's JSON. */
  readonly payload: Buffer;
  readonly exclude?: readonly string[];
  /** On channels with history. */
  readonly position?: Position;
  /** Tag of the publication before this one. */
  readonly previousTag?: string;
  /** The cursor that the channel stood at before its history was cleared. */
  readonly link?: string;
}

const SOURCE_ID = /^[0-9a-f]{32}$/i;
const SOURCE_ID_LENGTH = 32;
const START = '{"sourceId":"';
const LENGTH = '","length":';
const MESSAGE = ',"message":';
const PREFIX_LENGTH = START.length + SOURCE_ID_LENGTH + LENGTH.length;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** The start of every envelope of an instance; a script writes the rest. */
export function envelopeStart(sourceId: string): string {
  return START + sourceId;
}

/**
 * The envelope `{"sourceId","length",...,"message"}` of a publication without history.
 *
 * `length` counts the message's bytes. Only this library writes it, so an envelope with a right one is known to hold
 * JSON that this library made, and the message is cut out of it without parsing.
 */
export function encodeEnvelope(sourceId: string, payload: Buffer, exclude?: readonly string[]): string {
  const excluded = exclude === undefined || exclude.length === 0 ? '' : `,"exclude":${JSON.stringify(exclude)}`;
  return `${START}${sourceId}${LENGTH}${payload.length}${excluded}${MESSAGE}${payload.toString('utf8')}}`;
}

/**
 * Reads an envelope that this library or somebody else wrote.
 *
 * @param options `channel`: the channel that it came in on, which a foreign message need not repeat; `typeField`: the
 * field that every message has
 * @returns undefined when it is malformed
 */
export function decodeEnvelope(
  bytes: Buffer,
  options: { readonly channel?: string; readonly typeField: string },
): WireMessage | undefined {
  return decodeOwn(bytes) ?? decodeForeign(bytes, options);
}

function decodeOwn(bytes: Buffer): WireMessage | undefined {
  if (bytes.length < PREFIX_LENGTH || bytes.at(-1) !== BRACE_CLOSE) return undefined;
  // Long enough for any length in digits.
  const prefix = bytes.toString('latin1', 0, PREFIX_LENGTH + 16);
  if (!prefix.startsWith(START) || !prefix.startsWith(LENGTH, START.length + SOURCE_ID_LENGTH)) return undefined;
  const length = Number.parseInt(prefix.slice(PREFIX_LENGTH), 10);
  const start = bytes.length - 1 - length;
  if (!(start >= PREFIX_LENGTH + MESSAGE.length) || bytes[start] !== BRACE_OPEN) return undefined;
  if (bytes.toString('latin1', start - MESSAGE.length, start) !== MESSAGE) return undefined;

  const sourceId = prefix.slice(START.length, START.length + SOURCE_ID_LENGTH);
  if (!SOURCE_ID.test(sourceId)) return undefined;
  const payload = bytes.subarray(start, bytes.length - 1);
  const plain = start === PREFIX_LENGTH + String(length).length + MESSAGE.length;
  if (plain) return { sourceId, payload };
  const header = parseObject(`${bytes.toString('utf8', 0, start)}null}`);
  return header && { sourceId, payload, ...readHeader(header) };
}

function decodeForeign(
  bytes: Buffer,
  { channel, typeField }: { readonly channel?: string; readonly typeField: string },
): WireMessage | undefined {
  const envelope = parseObject(bytes.toString('utf8'));
  const message = envelope?.message;
  if (!isObject(message) || typeof message[typeField] !== 'string') return undefined;
  const { sourceId } = envelope!;
  if (typeof sourceId !== 'string' || !SOURCE_ID.test(sourceId)) return undefined;
  // Only the history gives cursors, and a subscriber knows a message by the channel that it subscribed to.
  delete message.cursor;
  if (channel !== undefined) message.channel = channel;
  if (typeof message.timestamp !== 'string') message.timestamp = currentTimestamp();
  const { exclude } = readHeader(envelope!);
  return { sourceId, payload: Buffer.from(JSON.stringify(message)), exclude };
}

function readHeader(header: Record<string, unknown>): Omit<WireMessage, 'sourceId' | 'payload'> {
  const { exclude, position, previous, link } = header;
  return {
    exclude: isStrings(exclude) ? exclude : undefined,
    position: decodeCursor(position),
    previousTag: typeof previous === 'string' ? previous : undefined,
    link: typeof link === 'string' ? link : undefined,
  };
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
