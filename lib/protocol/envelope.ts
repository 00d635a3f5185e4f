/** The wire names of the two fields that `envelope` in the module options may rename. */
export interface EnvelopeFields {
  /** @default 'type' */
  type: string;
  /** @default 'data' */
  data: string;
}

export const DEFAULT_ENVELOPE: EnvelopeFields = { type: 'type', data: 'data' };

/** The names that the envelope uses for itself; neither renamed field may take one of them. */
export const FIXED_FIELDS: readonly string[] = [
  'channel',
  'id',
  'from',
  'cursor',
  'timestamp',
  'recoverable',
  'recovered',
  'replay',
  'idempotencyKey',
];

/** A message from the server before it is encoded; absent fields are left out of the frame. */
export interface OutboundMessage {
  type: string;
  id?: string | number;
  channel?: string;
  data?: unknown;
  from?: string;
  cursor?: string;
  recoverable?: boolean;
  recovered?: boolean;
  /** ISO 8601 UTC. @default the time of encoding */
  timestamp?: string;
}

/**
 * Encodes a message as the JSON text of one frame.
 *
 * @throws TypeError when `data` cannot be serialised (a cycle, a BigInt, a throwing `toJSON`)
 */
export function encodeMessage(message: OutboundMessage, fields: EnvelopeFields = DEFAULT_ENVELOPE): string {
  let json = `{${JSON.stringify(fields.type)}:${JSON.stringify(message.type)}`;
  if (message.id !== undefined) json += `,"id":${JSON.stringify(message.id)}`;
  if (message.channel !== undefined) json += `,"channel":${JSON.stringify(message.channel)}`;
  if (message.recoverable !== undefined) json += `,"recoverable":${message.recoverable}`;
  if (message.recovered !== undefined) json += `,"recovered":${message.recovered}`;
  json += encodeData(message.data, fields.data);
  if (message.from !== undefined) json += `,"from":${JSON.stringify(message.from)}`;
  if (message.cursor !== undefined) json += `,"cursor":${JSON.stringify(message.cursor)}`;
  return `${json},"timestamp":"${message.timestamp ?? currentTimestamp()}"}`;
}

function encodeData(data: unknown, name: string): string {
  if (data === undefined) return '';
  const json: string | undefined = JSON.stringify(data);
  if (json === undefined) throw new TypeError(`a ${typeof data} has no JSON form`);
  return `,${JSON.stringify(name)}:${json}`;
}

let timestampAt = 0;
let timestamp = '';

/**
 * The current time in ISO 8601 UTC. Kept for the millisecond it is true in: a burst asks for it thousands of times. It is the
 * clock's and nobody's, so applications in one process may share it.
 */
export function currentTimestamp(): string {
  const now = Date.now();
  if (now !== timestampAt) {
    timestampAt = now;
    timestamp = new Date(now).toISOString();
  }
  return timestamp;
}
