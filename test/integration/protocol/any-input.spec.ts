import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import * as fc from 'fast-check';
import { ErrorCode, OnMessage, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Handlers {
  @OnMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }

  @OnSubscribe('room:{name}')
  join(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

const TYPES = ['subscribe', 'unsubscribe', 'ping', 'presence', 'history', 'refresh', 'echo', 'chat', 'ack', 'connected', 'error'];
const CHANNELS = ['room:a', 'room:b', 'kept', 'plain', 'elsewhere', 'not a name', ''];
/** Strange, and more often what means something. */
const mostly = (...values: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: fc.jsonValue() });
const page = fc.record({ limit: mostly(1, 5), after: mostly('x'), reverse: mostly(true, false) }, { requiredKeys: [] });
const message = fc.record(
  {
    type: mostly(...TYPES),
    channel: mostly(...CHANNELS),
    data: fc.oneof(fc.jsonValue(), page, fc.constantFrom(...CHANNELS)),
    cursor: mostly('x', '0-0-0'),
    replay: mostly(0, 1, 5),
    idempotencyKey: mostly('k'),
    from: mostly(null, JSON.parse('{"__proto__":1}'), 'me'),
    timestamp: fc.jsonValue(),
    recovered: fc.jsonValue(),
  },
  { requiredKeys: ['type'] },
);
const CODES: ReadonlySet<string> = new Set(Object.values(ErrorCode).filter((code) => code !== ErrorCode.Internal));

describe('CHECKLIST 25: whatever a client sends', () => {
  let app: TestApp;
  beforeAll(async () => {
    const history = { size: 5, ttl: '1m' };
    app = await createApp({
      providers: [Handlers],
      realtime: { channels: { 'room:{name}': { presence: true }, kept: { history, presence: true }, plain: {} } },
    });
  });
  afterAll(() => app.close());

  it('is answered once, with a frame that the protocol knows, and is never a fault of the server or an end of the connection', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 40 }), async (messages) => {
        const client = await TestClient.connect(`${app.url}/ws`);
        for (const [id, each] of messages.entries()) client.send({ ...each, id });
        await client.settled();
        // Pings overtake what runs: a subscription behind all of it does not, on any channel.
        for (const channel of ['room:a', 'room:b', 'kept', 'plain']) await client.request({ type: 'unsubscribe', channel });
        const answers = await answersTo(client, messages.length);
        expect(answers.map((frames) => frames.length)).toEqual(messages.map(() => 1));
        const errors = client.ofType('error').map(({ data }) => data.code as string);
        expect(errors.filter((code) => !CODES.has(code))).toEqual([]);
        expect(client.frames.filter(({ type, timestamp }) => typeof type !== 'string' || Number.isNaN(Date.parse(timestamp)))).toEqual([]);
        expect(client.socket.readyState).toBe(client.socket.OPEN);
        await client.close();
      }),
      { numRuns: 60 },
    );
    await waitFor('nobody', () => app.hub.stats().clients === 0);
    expect(app.hub.stats()).toMatchObject({ channels: 0, subscribers: 0, evicted: 0 });
  }, 120_000);

  it('as text of any kind is answered with bad_request', async () => {
    const client = await TestClient.connect(`${app.url}/ws`);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
        client.frames.length = 0;
        client.socket.send(text);
        expect((await client.take(() => true)).data).toMatchObject({ code: 'bad_request' });
      }),
      { numRuns: 200 },
    );
    await client.close();
  });
});

/** What came for each of the first ids, once there is something for all. */
async function answersTo(client: TestClient, count: number): Promise<TestFrame[][]> {
  const answers = (): TestFrame[][] => Array.from({ length: count }, (_, id) => client.frames.filter((frame) => frame.id === id));
  return waitFor('an answer to each', () => answers().every((frames) => frames.length > 0) && answers());
}
