import { parse as parseJson } from 'secure-json-parse';
import { DEFAULT_ENVELOPE, type EnvelopeFields } from './envelope';
import { ErrorCode, RealtimeError } from './errors';
import { isNestedTooDeep, MAX_NESTING } from './nesting';

/** What a client sent, its fields checked for their types and nothing else. */
export interface Command {
  type: string;
  id?: string | number;
  channel?: string;
  data?: unknown;
  cursor?: string;
  replay?: number;
  idempotencyKey?: string;
}

/** Longest correlation id or idempotency key, in characters: both are kept and echoed by the server. */
export const MAX_ID_LENGTH = 256;

/** Commands whose channel may stand as a string in `data`. */
const CHANNEL_IN_DATA: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe']);

/**
 * A message that is no command. It carries the correlation id when the message had a usable one, so that the error can
 * be told apart on the client.
 */
export class MalformedCommandError extends RealtimeError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly id?: string | number,
  ) {
    super(code, message);
  }
}

/**
 * Parses the text of one frame.
 *
 * @throws MalformedCommandError for anything that is not a JSON object with fields of the right types; keys that
 * reach for a prototype (`__proto__`, `constructor.prototype`) are refused
 */
export function parseCommand(text: string, fields: EnvelopeFields = DEFAULT_ENVELOPE): Command {
  const message = parseObject(text);
  const id = readId(message.id);
  const fail = (code: ErrorCode, reason: string): never => {
    throw new MalformedCommandError(code, reason, id);
  };

  if (isNestedTooDeep(text)) return fail(ErrorCode.BadRequest, `a frame must not be nested deeper than ${MAX_NESTING} levels`);
  const type = message[fields.type];
  if (typeof type !== 'string' || type === '') return fail(ErrorCode.BadRequest, `"${fields.type}" must be a non-empty string`);
  if (message.id !== undefined && id === undefined) {
    return fail(ErrorCode.BadRequest, `"id" must be a number or a string of up to ${MAX_ID_LENGTH} characters`);
  }

  const command: Command = { type };
  if (id !== undefined) command.id = id;
  const data = message[fields.data];
  if (data !== undefined) command.data = data;

  const channel = message.channel ?? (CHANNEL_IN_DATA.has(type) ? data : undefined);
  if (channel !== undefined) {
    if (typeof channel !== 'string') return fail(ErrorCode.InvalidChannel, '"channel" must be a string');
    command.channel = channel;
  }
  if (message.cursor !== undefined && message.cursor !== null) {
    if (typeof message.cursor !== 'string') return fail(ErrorCode.BadRequest, '"cursor" must be a string');
    command.cursor = message.cursor;
  }
  if (message.replay !== undefined) {
    if (!isCount(message.replay)) return fail(ErrorCode.BadRequest, '"replay" must be an integer of at least 0');
    command.replay = message.replay;
  }
  if (message.idempotencyKey !== undefined) {
    if (!isShortString(message.idempotencyKey)) {
      return fail(ErrorCode.BadRequest, `"idempotencyKey" must be a string of 1 to ${MAX_ID_LENGTH} characters`);
    }
    command.idempotencyKey = message.idempotencyKey;
  }
  return command;
}

function parseObject(text: string): Record<string, unknown> {
  const message = parse(text);
  if (!isObject(message)) throw new MalformedCommandError(ErrorCode.BadRequest, 'a frame must hold one JSON object');
  return message;
}

function parse(text: string): unknown {
  try {
    return parseJson(text, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    return refuse(text);
  }
}

/** Says what is wrong, with the id where there is one: without it a client would wait for its answer in vain. */
function refuse(text: string): never {
  let harmless: unknown;
  try {
    harmless = parseJson(text, { protoAction: 'remove', constructorAction: 'remove' });
  } catch {
    throw new MalformedCommandError(ErrorCode.BadRequest, 'a frame must hold one JSON object');
  }
  const id = isObject(harmless) ? readId(harmless.id) : undefined;
  throw new MalformedCommandError(ErrorCode.BadRequest, 'keys that reach for a prototype are refused', id);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readId(id: unknown): string | number | undefined {
  // JSON's 1e999 is read as Infinity, which has no JSON form to be echoed in.
  if (typeof id === 'number') return Number.isFinite(id) ? id : undefined;
  return typeof id === 'string' && id.length <= MAX_ID_LENGTH ? id : undefined;
}

function isShortString(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
