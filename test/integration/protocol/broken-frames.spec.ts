import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { type DisconnectEvent, OnDisconnect } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RawWebSocket } from '../../support/raw-websocket';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Ends {
  readonly codes: number[] = [];

  @OnDisconnect()
  disconnect(@MessageBody() { code }: DisconnectEvent): void {
    this.codes.push(code);
  }
}

const MASK = [0, 0, 0, 0];
const text = (first: number, payload: string | number[]): Buffer => {
  const body = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([first, 0x80 | body.length, ...MASK]), body]);
};

/** What RFC 6455 does not allow, as it comes over the wire, and the code that it says. */
const BROKEN: [string, number, Buffer][] = [
  ['a frame without a mask', 1002, Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
  ['a reserved opcode', 1002, text(0x83, '{}')],
  ['a reserved control opcode', 1002, text(0x8b, '')],
  ['a reserved bit', 1002, text(0x91, '{}')],
  ['compression that was not agreed on', 1002, text(0xc1, '{}')],
  ['a continuation of nothing', 1002, text(0x80, '{}')],
  ['a new message within another', 1002, Buffer.concat([text(0x01, '{'), text(0x81, '}')])],
  ['a ping in fragments', 1002, text(0x09, 'x')],
  ['a ping of 126 bytes', 1002, Buffer.concat([Buffer.from([0x89, 0x80 | 126, 0, 126, ...MASK]), Buffer.alloc(126)])],
  ['a close frame of one byte', 1002, text(0x88, [3])],
  ['a close frame with a code that may not be sent', 1002, text(0x88, [0x03, 0xed])],
  ['a close frame whose reason is no UTF-8', 1007, text(0x88, [0x03, 0xe8, 0xff])],
  ['text that is no UTF-8', 1007, text(0x81, [0xc3, 0x28])],
  ['a message of 2^63 bytes', 1009, Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...MASK])],
  ['a message that says it has 2 GiB', 1009, Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, ...MASK])],
];

describe.each(PLATFORMS)('what breaks the WebSocket protocol, over %s', (platform) => {
  let app: TestApp;
  let other: TestClient;
  beforeAll(async () => {
    app = await createApp({ platform, providers: [Ends], realtime: { channels: { '*': {} } } });
    other = await TestClient.connect(`${app.url}/ws`);
  });
  afterAll(() => app.close());

  it.each(BROKEN)('%s ends its connection with %i, once, and nobody else’s', async (_what, code, bytes) => {
    const { codes } = app.app.get(Ends);
    codes.length = 0;
    const client = await RawWebSocket.open(app.port);
    client.send({ type: 'subscribe', channel: 'a' });
    await client.message('subscribed');
    client.raw.socket.write(bytes);
    expect(await client.closeCode()).toBe(code);
    await waitFor('the end', () => codes.length > 0);
    await client.raw.closed;
    expect(codes).toEqual([code]);
    expect(app.hub.stats()).toMatchObject({ clients: 1, channels: 0, subscribers: 0 });
    expect(await other.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });
});
