import * as fc from 'fast-check';
import { eventStreamParser } from '../../../lib/client/event-stream-parser';

/** Lines of a stream that makes these data, as a server may write them. */
const event = fc.record({
  data: fc.string({ minLength: 1 }).map((text) => JSON.stringify(text)),
  id: fc.option(fc.nat().map(String)),
  comment: fc.boolean(),
});

describe('the parser of an event stream', () => {
  it('finds the same events wherever the stream is cut, with any line break', () => {
    fc.assert(
      fc.property(
        fc.array(event),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(200)),
        (events, lineBreak, cuts) => {
          const lines = events.flatMap(({ data, id, comment }) => [
            ...(comment ? [': keep-alive', ''] : []),
            ...(id === null ? [] : [`id: ${id}`]),
            `data: ${data}`,
            '',
          ]);
          const stream = lines.map((line) => line + lineBreak).join('');
          const parse = eventStreamParser();
          const found: string[] = [];
          let at = 0;
          for (const length of [...cuts, stream.length]) {
            found.push(...parse(stream.slice(at, at + length)));
            at += length;
          }
          expect(found).toEqual(events.map(({ data }) => data));
        },
      ),
    );
  });

  it('joins the lines of one event', () => {
    expect(eventStreamParser()('data: [1,\ndata:2]\n\n')).toEqual(['[1,\n2]']);
  });

  it('does not fill the memory with an event that does not end', () => {
    const parse = eventStreamParser();
    const chunk = 'x'.repeat(2 ** 20);
    expect(() => {
      for (let i = 0; i < 20; i++) parse(chunk);
    }).toThrow('too long');
  });
});
