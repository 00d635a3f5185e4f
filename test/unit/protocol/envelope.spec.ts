import * as fc from 'fast-check';
import { currentTimestamp, encodeMessage, FIXED_FIELDS, type OutboundMessage } from '../../../lib/protocol/envelope';

const text = fc.string({ unit: 'binary' });
const message: fc.Arbitrary<OutboundMessage> = fc.record(
  {
    type: text,
    id: fc.oneof(text, fc.integer()),
    channel: text,
    data: fc.jsonValue(),
    from: text,
    cursor: fc.stringMatching(/^[a-z0-9]{1,5}-[0-9]{1,3}-[a-z0-9]{0,5}$/),
    recoverable: fc.boolean(),
    recovered: fc.boolean(),
    timestamp: fc.constant('2026-01-02T03:04:05.006Z'),
  },
  { requiredKeys: ['type'] },
);
const name = text.filter((field) => field !== '' && field !== '__proto__' && !FIXED_FIELDS.includes(field));
const fields = fc
  .oneof(fc.constant({ type: 'type', data: 'data' }), fc.constant({ type: 'event', data: 'payload' }), fc.record({ type: name, data: name }))
  .filter(({ type, data }) => type !== data);

describe('encodeMessage', () => {
  it('writes one JSON object with just the fields that were given, under the names of the envelope', () => {
    fc.assert(
      fc.property(message, fields, (outbound, names) => {
        const parsed = JSON.parse(encodeMessage(outbound, names)) as Record<string, unknown>;
        const { type, data, timestamp = parsed.timestamp, ...rest } = outbound;
        const expected: Record<string, unknown> = { [names.type]: type, ...rest, timestamp };
        if (data !== undefined) expected[names.data] = data;
        expect(parsed).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 1000 },
    );
  });

  it('begins with the type, and so is never an empty object', () => {
    expect(encodeMessage({ type: 'pong' })).toMatch(/^\{"type":"pong","timestamp":"/);
  });

  it('writes no line break, whatever the payload holds', () => {
    const json = encodeMessage({ type: 'a\nb', data: { text: 'x\r\ny\u2028' }, channel: 'c', from: 'u\n' });
    expect(json).not.toMatch(/[\r\n]/);
  });

  it('stamps the time of encoding, in UTC', () => {
    const before = Date.now();
    const { timestamp } = JSON.parse(encodeMessage({ type: 'pong' })) as { timestamp: string };
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(timestamp)).toBeLessThanOrEqual(Date.now());
  });

  it('keeps null, false, zero and empty text in data, and leaves out undefined', () => {
    for (const data of [null, false, 0, '']) expect(JSON.parse(encodeMessage({ type: 'a', data }))).toHaveProperty('data', data);
    expect(JSON.parse(encodeMessage({ type: 'a', data: undefined }))).not.toHaveProperty('data');
  });

  it('asks toJSON, as JSON.stringify does', () => {
    expect(JSON.parse(encodeMessage({ type: 'a', data: new Date(0) }))).toHaveProperty('data', '1970-01-01T00:00:00.000Z');
  });

  it.each([
    ['a cycle', cycle()],
    ['a BigInt', { count: 1n }],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an object that has no JSON form', { toJSON: () => undefined }],
  ])('throws a TypeError for %s', (_what, data) => {
    expect(() => encodeMessage({ type: 'a', data })).toThrow(TypeError);
  });

  it('passes on what toJSON throws', () => {
    const data = {
      toJSON: () => {
        throw new RangeError('not now');
      },
    };
    expect(() => encodeMessage({ type: 'a', data })).toThrow('not now');
  });
});

describe('currentTimestamp', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each([0, 1, 1_700_000_000_123])('tells the time at %d ms since the epoch', (now) => {
    jest.setSystemTime(now);
    expect(currentTimestamp()).toBe(new Date(now).toISOString());
  });

  it('goes with the clock, back too', () => {
    jest.setSystemTime(2000);
    expect(currentTimestamp()).toBe('1970-01-01T00:00:02.000Z');
    jest.setSystemTime(2001);
    expect(currentTimestamp()).toBe('1970-01-01T00:00:02.001Z');
    jest.setSystemTime(1500);
    expect(currentTimestamp()).toBe('1970-01-01T00:00:01.500Z');
  });
});

function cycle(): object {
  const node: { self?: object } = {};
  node.self = node;
  return node;
}
