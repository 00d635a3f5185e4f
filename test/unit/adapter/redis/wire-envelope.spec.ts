import { assert, constantFrom, dictionary, jsonValue, option, property, string, uint8Array, array } from 'fast-check';
import { decodeEnvelope, encodeEnvelope, envelopeStart } from '../../../../lib/adapter/redis/wire-envelope';

const SOURCE = '0123456789abcdef0123456789abcdef';
const options = { channel: 'room', typeField: 'type' };
const decode = (text: string | Buffer) => decodeEnvelope(Buffer.from(text as string), options);

describe('envelopes between instances', () => {
  it('come back as the very bytes that went in, whatever the message holds', () => {
    const message = dictionary(string(), jsonValue());
    assert(
      property(message, option(array(string()), { nil: undefined }), (data, exclude) => {
        const payload = Buffer.from(JSON.stringify({ type: 'm', data }));
        const bytes = Buffer.from(encodeEnvelope(SOURCE, payload, exclude));
        const decoded = decodeEnvelope(bytes, options)!;
        expect(decoded.sourceId).toBe(SOURCE);
        expect(decoded.payload.equals(payload)).toBe(true);
        expect(decoded.payload.buffer).toBe(bytes.buffer);
        expect(decoded.exclude).toEqual(exclude?.length ? exclude : undefined);
      }),
    );
  });

  it('carry a position as the script writes it', () => {
    const payload = '{"type":"m"}';
    const header = `${envelopeStart(SOURCE)}","length":${payload.length},"position":"e-3-t3","previous":"t2","link":"d-9-t9","exclude":["c1"]`;
    expect(decode(`${header},"message":${payload}}`)).toEqual({
      sourceId: SOURCE,
      payload: Buffer.from(payload),
      position: { epoch: 'e', offset: 3, tag: 't3' },
      previousTag: 't2',
      link: 'd-9-t9',
      exclude: ['c1'],
    });
  });

  it('never throw, whatever bytes come in', () => {
    assert(property(uint8Array(), (bytes) => expect(decodeEnvelope(Buffer.from(bytes), options)).toBeUndefined()));
  });

  it('survive being cut or changed anywhere: what is accepted is JSON', () => {
    const whole = encodeEnvelope(SOURCE, Buffer.from('{"type":"m","data":{"a":[1,"}"]}}'), ['c']);
    for (let length = 0; length < whole.length; length++) expect(decode(whole.slice(0, length))).toBeUndefined();
    for (let at = 0; at < whole.length; at++) {
      const decoded = decode(`${whole.slice(0, at)}${whole.slice(at + 1)}`);
      expect(() => JSON.parse(decoded?.payload.toString() ?? '{}')).not.toThrow();
    }
  });

  it.each([
    ['no source', '{"message":{"type":"m"}}'],
    ['a short source', '{"sourceId":"abc","message":{"type":"m"}}'],
    ['no message', `{"sourceId":"${SOURCE}"}`],
    ['a message that is text', `{"sourceId":"${SOURCE}","message":"m"}`],
    ['a message without its type', `{"sourceId":"${SOURCE}","message":{"data":1}}`],
  ])('are refused with %s', (_what, text) => {
    expect(decode(text)).toBeUndefined();
  });

  it('are read by the field that the application calls the type', () => {
    const text = `{"sourceId":"${SOURCE}","message":{"event":"m","timestamp":"t"}}`;
    expect(decode(text)).toBeUndefined();
    expect(decodeEnvelope(Buffer.from(text), { typeField: 'event' })?.payload.toString()).toBe('{"event":"m","timestamp":"t"}');
  });

  it('take no order of fields, spaces or other fields amiss', () => {
    assert(
      property(constantFrom('', ' ', '\n\t'), dictionary(string(), jsonValue()), (space, more) => {
        const { sourceId: _sourceId, message: _message, exclude: _exclude, ...others } = more;
        const fields = { message: { type: 'm', timestamp: 't' }, ...others, sourceId: SOURCE };
        const decoded = decode(space + JSON.stringify(fields, null, space) + space);
        expect(JSON.parse(decoded!.payload.toString())).toEqual({ type: 'm', timestamp: 't', channel: 'room' });
      }),
    );
  });
});
