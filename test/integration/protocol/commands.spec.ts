import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Rooms {
  @OnSubscribe('room:{name}')
  join(@MessageBody() body: unknown): unknown {
    return { body: body ?? null };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('inbox:{name}', { requireSubscription: false })
  drop(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeChannel('noecho:{name}', { echo: false })
  sayToOthers(@MessageBody() body: unknown): unknown {
    return body;
  }

  @OnMessage('double')
  double(@MessageBody() body: number): number {
    return body * 2;
  }
}

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.each(PLATFORMS)('commands and their replies, over %s', (platform) => {
  let app: TestApp;
  let client: TestClient;
  /** What has come until all that was sent is through. Pings overtake what runs, but not what a second one waits for. */
  const settled = async (): Promise<TestFrame[]> => {
    await client.settled();
    return (await client.settled()).filter(({ type }) => type !== 'pong');
  };
  /** Sends one message, and resolves with all that comes because of it. */
  const exchange = (message: object): Promise<TestFrame[]> => {
    client.frames.length = 0;
    client.send(message);
    return settled();
  };

  beforeAll(async () => {
    app = await createApp({
      platform,
      providers: [Rooms],
      realtime: { channels: { 'kept:{name}': { history: { size: 10, ttl: '1m' } }, 'declared:{name}': {} } },
    });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    client = await TestClient.connect(`${app.url}/ws`);
  });
  afterEach(() => client.close());

  describe('CHECKLIST 23: subscribe', () => {
    it.each([
      ['channel', { channel: 'declared:a' }],
      ['data, as a string', { data: 'declared:a' }],
      ['both', { channel: 'declared:a', data: 'declared:b' }],
      ['data, beside a null', { channel: null, data: 'declared:a' }],
    ])('takes the name from %s', async (_, name) => {
      expect(await exchange({ type: 'subscribe', id: 1, ...name })).toEqual([
        { type: 'subscribed', id: 1, channel: 'declared:a', recoverable: false, timestamp: TIMESTAMP },
      ]);
      expect(app.hub.channelInfo('declared:a')).toMatchObject({ subscribers: 1 });
      expect(app.hub.channelInfo('declared:b')).toBeUndefined();
    });

    it('gives its handler the data, unless that is the name', async () => {
      expect((await exchange({ type: 'subscribe', channel: 'room:a', data: { a: 1 } }))[0]!.data).toEqual({ body: { a: 1 } });
      expect((await exchange({ type: 'subscribe', data: 'room:b' }))[0]!.data).toEqual({ body: null });
    });

    it('tells the cursor of a channel with history, and none of recovery that was not asked for', async () => {
      expect(await exchange({ type: 'subscribe', channel: 'kept:a' })).toEqual([
        { type: 'subscribed', channel: 'kept:a', recoverable: true, cursor: expect.any(String), timestamp: TIMESTAMP },
      ]);
    });

    it('is idempotent: the answer is given again, and publications come once', async () => {
      await client.subscribe('declared:a');
      expect(await exchange({ type: 'subscribe', id: 2, channel: 'declared:a' })).toEqual([
        { type: 'subscribed', id: 2, channel: 'declared:a', recoverable: false, timestamp: TIMESTAMP },
      ]);
      await app.hub.publish('declared:a', 1);
      expect((await client.settled()).filter(({ type }) => type === 'message')).toHaveLength(1);
      expect(app.hub.stats().subscribers).toBe(1);
    });

    it('is idempotent within one write too', async () => {
      for (let id = 1; id <= 3; id++) client.send({ type: 'subscribe', channel: 'declared:a', id });
      expect((await settled()).map(({ type, id }) => `${type} ${id}`)).toEqual(['subscribed 1', 'subscribed 2', 'subscribed 3']);
      expect(app.hub.channelInfo('declared:a')).toMatchObject({ subscribers: 1 });
    });

    it('to a channel that nothing declares is forbidden, with what to do about it', async () => {
      const [reply] = await exchange({ type: 'subscribe', id: 1, channel: 'elsewhere' });
      expect(reply).toEqual({
        type: 'error',
        id: 1,
        channel: 'elsewhere',
        data: { code: 'forbidden', message: expect.stringContaining('Declare it') },
        timestamp: TIMESTAMP,
      });
      expect(app.hub.stats()).toMatchObject({ channels: 0, subscribers: 0 });
    });
  });

  describe('CHECKLIST 23: unsubscribe', () => {
    it.each([
      ['channel', { channel: 'declared:a' }],
      ['data, as a string', { data: 'declared:a' }],
    ])('takes the name from %s, and leaves no empty channel', async (_, name) => {
      await client.subscribe('declared:a');
      expect(await exchange({ type: 'unsubscribe', id: 1, ...name })).toEqual([
        { type: 'unsubscribed', id: 1, channel: 'declared:a', timestamp: TIMESTAMP },
      ]);
      expect(app.hub.channels()).toEqual([]);
      await app.hub.publish('declared:a', 1);
      expect((await client.settled()).filter(({ type }) => type === 'message')).toEqual([]);
    });

    it('from a channel that is not held is answered all the same', async () => {
      expect(await exchange({ type: 'unsubscribe', id: 1, channel: 'elsewhere' })).toEqual([
        { type: 'unsubscribed', id: 1, channel: 'elsewhere', timestamp: TIMESTAMP },
      ]);
    });

    it('is done for all channels of a client that disconnects', async () => {
      for (const name of ['a', 'b', 'c']) await client.subscribe(`declared:${name}`);
      expect(app.hub.stats()).toMatchObject({ channels: 3, subscribers: 3 });
      await client.close();
      await waitFor('no channel', () => app.hub.stats().channels === 0);
      expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    });
  });

  it('CHECKLIST 24: ping is answered with pong and the time', async () => {
    const before = Date.now();
    const pong = await client.request({ type: 'ping', data: 'ignored', channel: 'ignored' });
    expect(pong).toEqual({ type: 'pong', id: pong.id, timestamp: TIMESTAMP });
    expect(Date.parse(pong.timestamp)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(pong.timestamp)).toBeLessThanOrEqual(Date.now());
    client.send({ type: 'ping' });
    expect(await client.take(({ id }) => id === undefined)).toEqual({ type: 'pong', timestamp: TIMESTAMP });
  });

  describe('ids', () => {
    it.each(['a', '', 'ünïcödé \u{1F600} "quoted"', 0, -1, 1.5, 9_007_199_254_740_991, 'x'.repeat(256)])('%j comes back as it is', async (id) => {
      for (const message of [
        { type: 'ping' },
        { type: 'subscribe', channel: 'declared:a' },
        { type: 'unsubscribe', channel: 'declared:a' },
        { type: 'double', data: 1 },
        { type: 'nobody' },
        { type: 'x', channel: 'inbox:a', data: 1 },
        { type: 'x', channel: 'elsewhere', data: 1 },
        { type: 'subscribe', channel: 'not allowed' },
      ]) {
        client.send({ ...message, id });
        expect((await client.take(() => true)).id).toBe(id);
      }
    });
  });

  describe('a publication', () => {
    it('goes to every subscriber, the publisher included, and is acknowledged', async () => {
      const other = await TestClient.connect(`${app.url}/ws`);
      const sender = app.hub.connections()[0]!.id;
      await Promise.all([client.subscribe('room:a'), other.subscribe('room:a')]);
      const publication = { type: 'chat', channel: 'room:a', data: { text: 'hi' }, from: sender, timestamp: TIMESTAMP };
      expect(await exchange({ type: 'chat', id: 7, channel: 'room:a', data: { text: 'hi' } })).toEqual([
        publication,
        { type: 'ack', id: 7, channel: 'room:a', timestamp: TIMESTAMP },
      ]);
      expect(await other.next('chat')).toEqual(publication);
      await other.close();
    });

    it('carries nothing that the client says of itself', async () => {
      await client.subscribe('room:a');
      const claims = { from: 'root', timestamp: '1970-01-01T00:00:00.000Z', cursor: 'made-1-up', recoverable: true, recovered: true, extra: 1 };
      const [publication] = await exchange({ type: 'chat', channel: 'room:a', data: 1, ...claims });
      expect(publication).toEqual({
        type: 'chat',
        channel: 'room:a',
        data: 1,
        from: app.hub.connections()[0]!.id,
        timestamp: TIMESTAMP,
      });
      expect(Date.now() - Date.parse(publication!.timestamp)).toBeLessThan(60_000);
    });

    it('without an id is not acknowledged', async () => {
      await client.subscribe('room:a');
      expect((await exchange({ type: 'chat', channel: 'room:a', data: 1 })).map(({ type }) => type)).toEqual(['chat']);
    });

    it('does not come back where the handler says echo: false', async () => {
      const other = await TestClient.connect(`${app.url}/ws`);
      await Promise.all([client.subscribe('noecho:a'), other.subscribe('noecho:a')]);
      expect((await exchange({ type: 'chat', id: 1, channel: 'noecho:a', data: 'hi' })).map(({ type }) => type)).toEqual(['ack']);
      expect((await other.next('chat')).data).toBe('hi');
      await other.close();
    });

    it('on a channel without a handler is forbidden, subscribed or not', async () => {
      const forbidden = { type: 'error', id: 1, channel: 'declared:a', data: { code: 'forbidden', message: expect.any(String) } };
      expect(await exchange({ type: 'chat', id: 1, channel: 'declared:a' })).toMatchObject([forbidden]);
      await client.subscribe('declared:a');
      expect(await exchange({ type: 'chat', id: 1, channel: 'declared:a' })).toMatchObject([forbidden]);
    });

    it('needs a subscription, where the handler does not say otherwise', async () => {
      expect(await exchange({ type: 'chat', id: 1, channel: 'room:a' })).toMatchObject([
        { type: 'error', id: 1, channel: 'room:a', data: { code: 'not_subscribed' } },
      ]);
      expect(await exchange({ type: 'chat', id: 1, channel: 'inbox:a' })).toMatchObject([{ type: 'ack' }]);
    });

    it.each(['connected', 'subscribed', 'unsubscribed', 'ack', 'pong', 'error', 'join', 'leave', 'reset', 'draining', 'refreshed'])(
      'cannot pass for the server’s own %s frame',
      async (type) => {
        const other = await TestClient.connect(`${app.url}/ws`);
        await Promise.all([client.subscribe('room:a'), other.subscribe('room:a')]);
        other.frames.length = 0;
        expect(await exchange({ type, id: 1, channel: 'room:a', data: { code: 'internal' } })).toMatchObject([
          { type: 'error', id: 1, channel: 'room:a', data: { code: 'bad_request' } },
        ]);
        expect(await other.settled()).toEqual([]);
        await other.close();
      },
    );
  });

  describe('a request', () => {
    it('is answered with the handler’s result', async () => {
      expect(await exchange({ type: 'double', id: 'x', data: 21 })).toEqual([{ type: 'ack', id: 'x', data: 42, timestamp: TIMESTAMP }]);
    });

    it('of a type that nobody handles is unknown_type', async () => {
      expect(await exchange({ type: 'nobody', id: 1, data: 21 })).toEqual([
        { type: 'error', id: 1, data: { code: 'unknown_type', message: expect.any(String) }, timestamp: TIMESTAMP },
      ]);
    });

    it('CHECKLIST 29: is no way to reach everybody', async () => {
      const other = await TestClient.connect(`${app.url}/ws`);
      other.frames.length = 0;
      expect(await exchange({ type: 'chat', data: 'to all' })).toMatchObject([{ type: 'error', data: { code: 'unknown_type' } }]);
      expect(await other.settled()).toEqual([]);
      await other.close();
    });
  });

  it('what every frame of the server has is a timestamp of its own', async () => {
    await client.subscribe('room:a');
    client.send({ type: 'chat', channel: 'room:a', data: 1, timestamp: 'mine', id: 1 });
    client.send({ type: 'nobody', timestamp: 'mine' });
    await app.hub.broadcast('news', 1);
    const frames = await settled();
    expect(frames.map(({ type }) => type)).toEqual(expect.arrayContaining(['chat', 'ack', 'error', 'news']));
    for (const frame of frames) expect(frame.timestamp).toEqual(TIMESTAMP);
  });
});
