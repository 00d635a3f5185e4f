import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, SubscribeChannel } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { OPCODE, RawWebSocket } from '../../support/raw-websocket';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Handlers {
  @OnMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

describe.each(PLATFORMS)('CHECKLIST 25: bad input, over %s', (platform) => {
  let app: TestApp;
  let client: TestClient;

  beforeAll(async () => {
    app = await createApp({ platform, providers: [Handlers], realtime: { channels: { '*': { history: { size: 5, ttl: '1m' } } } } });
    app.app.useLogger(false);
    client = await TestClient.connect(`${app.url}/ws`);
  });
  afterAll(() => app.close());
  // Nothing of this ends the connection.
  afterEach(async () => {
    await client.request({ type: 'echo', data: 'alive' });
  });

  const errorTo = async (frame: string | Buffer, binary = false): Promise<unknown> => {
    client.frames.length = 0;
    client.socket.send(frame, { binary });
    return client.next('error');
  };

  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['no JSON', 'hello'],
    ['half an object', '{"type":"ping"'],
    ['two objects', '{"type":"ping"}{"type":"ping"}'],
    ['two objects on two lines', '{"type":"ping"}\n{"type":"ping"}'],
    ['single quotes', "{'type':'ping'}"],
    ['a trailing comma', '{"type":"ping",}'],
    ['NaN', '{"type":"ping","id":NaN}'],
    ['an array', '[{"type":"ping"}]'],
    ['a string', '"ping"'],
    ['a number', '7'],
    ['null', 'null'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['brackets without end', '['.repeat(30_000)],
    ['what no stack is deep enough for', `{"type":"echo","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
    ['a NUL byte behind it', '{"type":"ping"}\u0000'],
  ])('%s is a bad_request', async (_, frame) => {
    expect(await errorTo(frame)).toEqual({
      type: 'error',
      data: { code: 'bad_request', message: expect.any(String) },
      timestamp: expect.any(String),
    });
  });

  it('a byte order mark is not taken for content', async () => {
    client.frames.length = 0;
    client.socket.send('\uFEFF{"type":"ping","id":"bom"}');
    const reply = await client.take(() => true);
    expect(['pong', 'error']).toContain(reply.type);
  });

  it.each([
    ['text', Buffer.from('{"type":"ping"}')],
    ['nothing', Buffer.alloc(0)],
    ['random bytes', Buffer.from([0, 255, 128, 7])],
  ])('a binary frame of %s is a bad_request', async (_, frame) => {
    expect(await errorTo(frame, true)).toMatchObject({ data: { code: 'bad_request' } });
  });

  /** A field, and values of a type that it does not have. */
  const WRONG: [string, string, unknown[], object][] = [
    ['type', 'bad_request', [7, null, true, {}, [], ''], { channel: 'room:a' }],
    ['id', 'bad_request', [null, true, {}, [], 'x'.repeat(257)], { type: 'ping' }],
    ['channel', 'invalid_channel', [7, true, {}, []], { type: 'subscribe' }],
    ['channel', 'invalid_channel', [7, true, {}, []], { type: 'chat', data: 1 }],
    ['data', 'invalid_channel', [7, true, {}, [], null], { type: 'subscribe' }],
    ['channel', 'invalid_channel', [7, true, {}, []], { type: 'unsubscribe' }],
    ['data', 'invalid_channel', [7, true, {}, [], null], { type: 'unsubscribe' }],
    ['channel', 'invalid_channel', [7, true, {}, [], null], { type: 'presence' }],
    ['channel', 'invalid_channel', [7, true, {}, [], null], { type: 'history' }],
    ['cursor', 'bad_request', [7, true, {}, []], { type: 'subscribe', channel: 'room:a' }],
    ['replay', 'bad_request', ['3', 1.5, -1, true, {}, [], null], { type: 'subscribe', channel: 'room:a' }],
    ['idempotencyKey', 'bad_request', [7, true, {}, [], null, '', 'x'.repeat(257)], { type: 'chat', channel: 'room:a' }],
    ['data', 'bad_request', [7, true, {}, [], null, '', undefined], { type: 'refresh' }],
  ];
  const wrongCases = WRONG.flatMap(([field, code, values, message]) =>
    values.map((value): [string, string, object] => [field, code, { ...message, [field]: value }]),
  );

  it.each(wrongCases)('the field %s answers %s for %j', async (_, code, message) => {
    expect(await errorTo(JSON.stringify(message))).toMatchObject({ data: { code } });
    expect(app.hub.stats().subscribers).toBe(0);
  });

  it.each(['subscribe', 'unsubscribe', 'presence', 'history'])('%s that names no channel is told so', async (type) => {
    const error = await errorTo(JSON.stringify({ type, id: 1 }));
    expect(error).toMatchObject({ id: 1, data: { code: 'invalid_channel', message: expect.stringMatching(/^No channel is named/) } });
  });

  it.each([
    ['without an exponent that fits', '{"type":"ping","id":1e999}'],
    ['negative, and as large', '{"type":"ping","id":-1e999}'],
  ])('an id that JSON cannot echo, %s, is a bad_request', async (_, frame) => {
    expect(await errorTo(frame)).toMatchObject({ data: { code: 'bad_request' } });
  });

  it.each(['from', 'timestamp', 'recovered', 'recoverable', 'details'])(
    'the field %s, which is the server’s, is ignored whatever a client puts there',
    async (field) => {
      await client.subscribe('room:a');
      for (const value of [7, null, true, {}, [], 'x']) {
        client.frames.length = 0;
        await client.request({ type: 'chat', channel: 'room:a', data: 1, [field]: value });
        const said = await client.next('chat');
        expect(Object.keys(said).toSorted()).toEqual(['channel', 'cursor', 'data', 'from', 'timestamp', 'type']);
        expect(said.from).toBe(app.hub.connections()[0]!.id);
        expect(Math.abs(Date.parse(said.timestamp) - Date.now())).toBeLessThan(60_000);
      }
      await client.request({ type: 'unsubscribe', channel: 'room:a' });
    },
  );

  it('the id of a refused message comes back, where it has a usable one', async () => {
    for (const message of [{ id: 1 }, { id: 'a', type: 7 }, { id: 2, type: 'subscribe', channel: 7 }, { id: 3, type: 'subscribe', channel: 'a b' }]) {
      expect(await errorTo(JSON.stringify(message))).toMatchObject({ id: message.id });
    }
  });

  it.each(['ping ', 'Subscribe', 'SUBSCRIBE', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'x'.repeat(10_000)])(
    'the type %s is known to nobody',
    async (type) => {
      expect(await errorTo(JSON.stringify({ type }))).toMatchObject({ data: { code: 'unknown_type' } });
    },
  );

  describe('CHECKLIST 27: channel names', () => {
    const BAD = [
      '', ' ', 'a b', 'a/b', 'a\nb', 'a\u0000b', 'ä', '\u{1F600}', 'room:{name}', '*', 'a*', 'a,b', 'a%20b', "a'b", 'a"b', '<b>', 'a\\b', 'a#b', 'a?b',
      'a@b', 'a+b', 'a=b', 'a|b', 'x'.repeat(257), 'x'.repeat(60_000),
    ];
    it.each(BAD)('%j is invalid_channel, everywhere', async (channel) => {
      for (const type of ['subscribe', 'unsubscribe', 'presence', 'history', 'chat']) {
        expect(await errorTo(JSON.stringify({ type, channel, data: {} }))).toMatchObject({ data: { code: 'invalid_channel' } });
      }
      await expect(app.hub.publish(channel, 1)).rejects.toMatchObject({ name: 'InvalidChannelError' });
    });

    it.each(['a', '_', '-', '.', ':', '::', 'A-Z_a.z:0-9', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(256)])(
      '%s is one',
      async (channel) => {
        await client.subscribe(channel);
        await app.hub.publish(channel, 'hi', { type: 'named' });
        expect(await client.take((frame) => frame.type === 'named')).toMatchObject({ channel, data: 'hi' });
        expect(app.hub.channelInfo(channel)).toMatchObject({ subscribers: 1 });
        await client.request({ type: 'unsubscribe', channel });
        expect(app.hub.channelInfo(channel)).toBeUndefined();
      },
    );
  });

  it.each([
    ['__proto__', '{"type":"echo","data":{},"__proto__":{"polluted":true}}'],
    ['__proto__ in the data', '{"type":"echo","data":{"__proto__":{"polluted":true}}}'],
    ['__proto__ far down', '{"type":"echo","data":{"a":[{"b":{"__proto__":{"polluted":true}}}]}}'],
    ['__proto__ escaped', '{"type":"echo","data":{"\\u005f_proto__":{"polluted":true}}}'],
    ['constructor.prototype', '{"type":"echo","data":{"constructor":{"prototype":{"polluted":true}}}}'],
    ['__proto__ for the channel', '{"type":"chat","channel":{"__proto__":{"polluted":true}}}'],
  ])('a key %s pollutes nothing, and is refused', async (_, frame) => {
    expect(await errorTo(frame)).toMatchObject({ data: { code: 'bad_request' } });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('the word constructor alone harms nobody and is data', async () => {
    expect((await client.request({ type: 'echo', data: { constructor: 'x', prototype: 1 } })).data).toEqual({ constructor: 'x', prototype: 1 });
  });

  it('text nested as deeply as fits is answered, and ends nothing', async () => {
    const data = `${'['.repeat(32_000)}${']'.repeat(32_000)}`;
    client.socket.send(`{"type":"echo","id":"deep","data":${data}}`);
    expect(['ack', 'error']).toContain((await client.take(({ id }) => id === 'deep')).type);
  });

  it('repeated fields are read as JSON reads them', async () => {
    client.socket.send('{"type":"nobody","type":"echo","id":"twice","data":1,"data":2}');
    expect(await client.take(({ id }) => id === 'twice')).toMatchObject({ type: 'ack', data: 2 });
  });

  it('many bad messages in one write are all answered', async () => {
    const raw = await RawWebSocket.open(app.port);
    raw.write(OPCODE.text, ...Array.from({ length: 1000 }, () => 'no JSON'));
    const answers = await waitFor('all answers', () => raw.messages.length > 1000 && raw.messages.slice(1));
    expect(answers.every(({ type, data }) => type === 'error' && data.code === 'bad_request')).toBe(true);
    raw.destroy();
  });
});
