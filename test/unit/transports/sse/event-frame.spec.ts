import * as fc from 'fast-check';
import { eventStreamParser } from '../../../../lib/client/event-stream-parser';
import { Frame } from '../../../../lib/hub/frame';
import { encodeEvent, EventEncoder } from '../../../../lib/transports/sse/event-frame';

describe('a frame as an event', () => {
  it('is one data line with the JSON as it is', () => {
    expect(encodeEvent(Buffer.from('{"type":"a"}')).toString()).toBe('data: {"type":"a"}\n\n');
  });

  it.each(['\n', '\r\n', '\r', '\n\n\n', '\r\r\n'])('stays one event with the line break %j in it', (lineBreak) => {
    const text = encodeEvent(Buffer.from(`{"a":1,${lineBreak}"b":2}`)).toString();
    expect(text).not.toContain('\r');
    expect(eventStreamParser()(text).map((data) => JSON.parse(data) as unknown)).toEqual([{ a: 1, b: 2 }]);
  });

  it('is read again whatever the payload is', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (json, indent) => {
        const payload = JSON.stringify({ data: JSON.parse(json) as unknown }, undefined, indent);
        const [data] = eventStreamParser()(encodeEvent(Buffer.from(payload)).toString());
        expect(JSON.parse(data!)).toEqual(JSON.parse(payload));
      }),
    );
  });

  it('is made once for all connections at the same id', () => {
    const encoder = new EventEncoder();
    const frame = Frame.fromText('{}', { channel: 'a', policy: 'drop' });
    const event = encoder.encode(frame, 'x');
    expect(encoder.encode(frame, 'x')).toBe(event);
    expect(event.bytes.toString()).toBe('id: x\ndata: {}\n\n');
    expect(event.origin).toEqual({ channel: 'a', policy: 'drop' });
    const other = encoder.encode(frame, 'y');
    expect(other.bytes.toString()).toBe('id: y\ndata: {}\n\n');
    expect(encoder.encode(Frame.fromText('{"b":1}'), undefined).bytes.toString()).toBe('data: {"b":1}\n\n');
  });
});
