import * as fc from 'fast-check';
import { Frame } from '../../../lib/hub/frame';
import { receive } from './receive';

/** JSON of exactly so many bytes. */
const jsonOf = (length: number): string => JSON.stringify('x'.repeat(length - 2));

describe('Frame', () => {
  it.each([2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 1_048_576])(
    'of %d bytes of payload is read by a WebSocket receiver as one text message',
    async (length) => {
      const frame = Frame.fromText(jsonOf(length));
      expect(frame.payload).toHaveLength(length);
      expect(await receive(frame.bytes)).toEqual([jsonOf(length)]);
    },
  );

  it.each([125, 126, 65_535, 65_536])('of %d bytes, framed from a payload, is the same', async (length) => {
    const payload = Buffer.from(jsonOf(length));
    expect(Frame.fromPayload(payload).bytes.equals(Frame.fromText(jsonOf(length)).bytes)).toBe(true);
  });

  it('carries any text: letters of every length in UTF-8', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), async (texts) => {
        const messages = texts.map((text) => JSON.stringify({ type: 'a', data: text }));
        const frames = messages.map((json) => Frame.fromText(json));
        expect(frames.map(({ text }) => text)).toEqual(messages);
        expect(await receive(Buffer.concat(frames.map(({ bytes }) => bytes)))).toEqual(messages);
      }),
      { numRuns: 100 },
    );
  });

  it('writes the cursor in as the first field of the payload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300 }), fc.stringMatching(/^[a-z0-9]{1,16}-[0-9]{1,15}-[a-z0-9]{0,16}$/), async (pad, cursor) => {
        const payload = { type: 'chat', data: 'ü'.repeat(pad) };
        const frame = Frame.fromPayload(Buffer.from(JSON.stringify(payload)), undefined, cursor);
        expect(frame.cursor).toBe(cursor);
        expect(await receive(frame.bytes)).toEqual([JSON.stringify({ cursor, ...payload })]);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves the payload it was made of as it was', () => {
    const payload = Buffer.from('{"type":"a"}');
    Frame.fromPayload(payload, undefined, 'e-1-t');
    expect(payload.toString()).toBe('{"type":"a"}');
  });

  it('keeps its origin', () => {
    const origin = { channel: 'room:a', policy: 'drop' } as const;
    expect(Frame.fromText('{}', origin).origin).toBe(origin);
    expect(Frame.fromPayload(Buffer.from('{"type":"a"}'), origin, 'e-1-t').origin).toBe(origin);
    expect(Frame.fromText('{}').origin).toBeUndefined();
  });

  describe('compressed', () => {
    it('is made once, from the threshold on, and read as the same text', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), fc.nat(300), async (text, threshold) => {
          const json = JSON.stringify(text);
          const frame = Frame.fromText(json);
          const bytes = frame.encodedFor({ threshold });
          expect(bytes === frame.bytes).toBe(Buffer.byteLength(json) < threshold);
          expect(frame.encodedFor({ threshold })).toBe(bytes);
          expect(await receive(bytes, { deflate: true })).toEqual([json]);
        }),
        { numRuns: 100 },
      );
    });

    it('is the plain frame for a connection without compression', () => {
      const frame = Frame.fromText(jsonOf(5000));
      expect(frame.encodedFor({ threshold: 0 }).length).toBeLessThan(frame.bytes.length);
      expect(frame.encodedFor(undefined)).toBe(frame.bytes);
    });
  });
});
