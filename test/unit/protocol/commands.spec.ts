import * as fc from 'fast-check';
import { MalformedCommandError, MAX_ID_LENGTH, parseCommand } from '../../../lib/protocol/commands';
import { RealtimeError } from '../../../lib/protocol/errors';
import { thrownBy } from '../../support/thrown-by';

const parse = (message: unknown, fields?: { type: string; data: string }): object => parseCommand(JSON.stringify(message), fields);

function malformed(text: string): MalformedCommandError {
  const error = thrownBy(() => parseCommand(text));
  expect(error).toBeInstanceOf(MalformedCommandError);
  expect(error).toBeInstanceOf(RealtimeError);
  return error as MalformedCommandError;
}

/** Whether the text is refused as it should be, or read as a command whose fields have their types. */
function isSound(text: string): boolean {
  let command;
  try {
    command = parseCommand(text);
  } catch (error) {
    return error instanceof MalformedCommandError;
  }
  return (
    typeof command.type === 'string' &&
    command.type !== '' &&
    ['undefined', 'string'].includes(typeof command.channel) &&
    ['undefined', 'string'].includes(typeof command.cursor) &&
    ['undefined', 'string', 'number'].includes(typeof command.id) &&
    Number.isSafeInteger(command.replay ?? 0) &&
    Object.getPrototypeOf(command) === Object.prototype
  );
}

describe('parseCommand', () => {
  it('reads every field', () => {
    const message = { type: 'chat', id: 7, channel: 'room:a', data: { text: 'hi' }, cursor: 'e-1-t', replay: 5, idempotencyKey: 'k' };
    expect(parse(message)).toEqual(message);
  });

  it('leaves out what is absent, and what it does not know', () => {
    expect(parse({ type: 'ping', from: 'mallory', timestamp: 'x', recovered: true })).toEqual({ type: 'ping' });
    expect(Object.keys(parse({ type: 'ping' }))).toEqual(['type']);
  });

  it.each([null, 0, false, '', [], {}])('keeps the payload %j as it is', (data) => {
    expect(parse({ type: 'chat', data })).toEqual({ type: 'chat', data });
  });

  it.each(['subscribe', 'unsubscribe'])('takes the channel of %s from data when it stands there', (type) => {
    expect(parse({ type, data: 'room:a' })).toMatchObject({ channel: 'room:a' });
    expect(parse({ type, channel: 'room:b', data: 'room:a' })).toMatchObject({ channel: 'room:b' });
  });

  it('takes no channel from the data of anything else', () => {
    expect(parse({ type: 'chat', data: 'room:a' })).not.toHaveProperty('channel');
  });

  it('takes null for an absent channel or cursor', () => {
    expect(parse({ type: 'chat', channel: null, cursor: null })).toEqual({ type: 'chat' });
  });

  it('reads the fields under the names that the envelope gives them, and under no other', () => {
    const fields = { type: 'event', data: 'payload' };
    expect(parse({ event: 'chat', payload: 1, type: 'x', data: 2 }, fields)).toEqual({ type: 'chat', data: 1 });
    expect(parse({ event: 'subscribe', payload: 'room:a' }, fields)).toMatchObject({ channel: 'room:a' });
    expect(() => parse({ type: 'chat' }, fields)).toThrow('"event" must be a non-empty string');
    expect(parse({ type: 'load', data: 'chat' }, { type: 'data', data: 'type' })).toEqual({ type: 'chat', data: 'load' });
  });

  it.each(['', ' ', 'null', '1', '"text"', '[]', '[{"type":"ping"}]', '{', '{"type":"ping"}{"type":"ping"}', '{"type":"ping"}\nx', 'undefined'])(
    'refuses %j as no JSON object',
    (text) => {
      expect(malformed(text)).toMatchObject({ code: 'bad_request', message: 'a frame must hold one JSON object', id: undefined });
    },
  );

  it.each([
    ['{}', 'bad_request', '"type"'],
    ['{"type":1}', 'bad_request', '"type"'],
    ['{"type":""}', 'bad_request', '"type"'],
    ['{"type":null}', 'bad_request', '"type"'],
    ['{"type":["chat"]}', 'bad_request', '"type"'],
    ['{"type":"a","id":{}}', 'bad_request', '"id"'],
    ['{"type":"a","id":true}', 'bad_request', '"id"'],
    ['{"type":"a","id":1e999}', 'bad_request', '"id"'],
    [`{"type":"a","id":"${'x'.repeat(MAX_ID_LENGTH + 1)}"}`, 'bad_request', '"id"'],
    ['{"type":"a","channel":1}', 'invalid_channel', '"channel"'],
    ['{"type":"a","channel":["room:a"]}', 'invalid_channel', '"channel"'],
    ['{"type":"subscribe","data":1}', 'invalid_channel', '"channel"'],
    ['{"type":"subscribe","data":null}', 'invalid_channel', '"channel"'],
    ['{"type":"a","cursor":1}', 'bad_request', '"cursor"'],
    ['{"type":"a","replay":-1}', 'bad_request', '"replay"'],
    ['{"type":"a","replay":1.5}', 'bad_request', '"replay"'],
    ['{"type":"a","replay":"5"}', 'bad_request', '"replay"'],
    ['{"type":"a","replay":1e300}', 'bad_request', '"replay"'],
    ['{"type":"a","idempotencyKey":""}', 'bad_request', '"idempotencyKey"'],
    ['{"type":"a","idempotencyKey":5}', 'bad_request', '"idempotencyKey"'],
    [`{"type":"a","idempotencyKey":"${'x'.repeat(MAX_ID_LENGTH + 1)}"}`, 'bad_request', '"idempotencyKey"'],
  ])('refuses %s with %s, naming %s', (text, code, field) => {
    const error = malformed(text);
    expect(error.code).toBe(code);
    expect(error.message).toContain(field);
  });

  it.each([
    ['{"id":"c1","channel":1,"type":"a"}', 'c1'],
    ['{"id":0,"type":""}', 0],
    [`{"id":"${'x'.repeat(MAX_ID_LENGTH)}"}`, 'x'.repeat(MAX_ID_LENGTH)],
    ['{"id":7,"type":"a","data":{"__proto__":1}}', 7],
    ['{"id":"c1","type":"a","data":{"constructor":{"prototype":1}}}', 'c1'],
    ['{"type":"a","__proto__":{"id":1}}', undefined],
  ])('tells the id of a refused message that has a usable one', (text, id) => {
    expect(malformed(text).id).toBe(id);
  });

  it.each([
    '{"type":"a","__proto__":{"channel":"room:a"}}',
    '{"type":"a","data":{"__proto__":{"isAdmin":true}}}',
    '{"type":"a","data":[{"deep":{"\\u005f_proto__":1}}]}',
    '{"type":"a","data":{"constructor":{"prototype":{"isAdmin":true}}}}',
    '{"__proto__":{"type":"a"}}',
  ])('refuses a key that reaches for a prototype: %s', (text) => {
    expect(malformed(text).code).toBe('bad_request');
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])('finds no field that an object has by birth (%s)', (name) => {
    expect(() => parse({}, { type: name, data: 'data' })).toThrow(MalformedCommandError);
  });

  it('withstands nesting as deep as a frame can carry, and refuses what code that recurses does not withstand', () => {
    const nested = (depth: number): string => `{"type":"a","id":1,"data":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(parseCommand(nested(1024)).type).toBe('a');
    expect(malformed(nested(1025))).toMatchObject({ code: 'bad_request', id: 1, message: expect.stringContaining('1024 levels') });
    expect(malformed(nested(30_000))).toMatchObject({ code: 'bad_request', id: 1 });
    expect(malformed(`{"type":"a","data":${'{"x":'.repeat(9_000)}{"__proto__":1}${'}'.repeat(9_000)}}`).code).toBe('bad_request');
  });

  describe('on anything at all', () => {
    const key = fc.constantFrom('type', 'id', 'channel', 'data', 'cursor', 'replay', 'idempotencyKey', '__proto__', 'constructor', 'prototype');
    const value = fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('subscribe', 'room:a', '__proto__'));
    const object = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((entries) => {
      return `{${entries.map(([name, data]) => `${JSON.stringify(name)}:${JSON.stringify(data)}`).join(',')}}`;
    });
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), object, object.map((json) => json.slice(0, -1)));

    it('returns a command with fields of the right types or throws a MalformedCommandError', () => {
      const members = Object.getOwnPropertyNames(Object.prototype).length;
      fc.assert(fc.property(text, isSound), { numRuns: 3000 });
      expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(members);
      expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    });
  });
});
