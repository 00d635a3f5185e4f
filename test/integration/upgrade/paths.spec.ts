import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { SubscribeChannel } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { rawUpgrade } from '../../support/raw-socket';
import { RecordingLogger } from '../../support/recording-logger';
import { refusal, TestClient } from '../../support/test-client';

@Injectable()
class Rooms {
  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

describe.each(PLATFORMS)('the paths of the upgrade, over %s', (platform) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await createApp({ platform, providers: [Rooms] });
  });
  afterAll(() => app.close());

  const channelsOf = async (path: string): Promise<string[]> => {
    const client = await TestClient.connect(app.url + path, { greeted: false });
    const { data } = await client.next('connected');
    await client.close();
    return data.channels;
  };

  it.each(['/ws', '/ws/', '/ws?', '/ws/?x=1'])('CHECKLIST 4: %s is the path, and joins no room', async (path) => {
    expect(await channelsOf(path)).toEqual([]);
  });

  it.each([
    ['/ws/lobby', ['room:lobby']],
    ['/ws/lobby?x=1', ['room:lobby']],
    ['/ws/a%2Db', ['room:a-b']],
    ['/ws/a.b_c', ['room:a.b_c']],
    ['/ws?room=lobby', ['room:lobby']],
    ['/ws/?room=lobby', ['room:lobby']],
    ['/ws?room=one&room=two', ['room:one', 'room:two']],
    ['/ws/one?room=two', ['room:one', 'room:two']],
    ['/ws/one?room=one', ['room:one']],
  ])('CHECKLIST 4: %s joins %j at connect', async (path, channels) => {
    expect((await channelsOf(path)).toSorted()).toEqual(channels);
  });

  it('CHECKLIST 4: a message without a channel belongs to the room of the path, and not to one of the query', async () => {
    const inPath = await TestClient.connect(`${app.url}/ws/lobby`);
    const inQuery = await TestClient.connect(`${app.url}/ws?room=lobby`);
    expect(await inPath.request({ type: 'chat', data: 'hi' })).toMatchObject({ type: 'ack', channel: 'room:lobby' });
    expect(await inQuery.next('chat')).toMatchObject({ channel: 'room:lobby', data: 'hi' });
    const answer = await inQuery.request({ type: 'chat', data: 'hi' });
    expect(answer).toMatchObject({ type: 'error', data: { code: 'unknown_type' } });
    await Promise.all([inPath.close(), inQuery.close()]);
  });

  it.each([
    '/ws/%', '/ws/%zz', '/ws/%E0%A4%A', '/ws/a%20b', '/ws/a%2Fb', '/ws/caf%C3%A9', '/ws/a*', '/ws/%00',
    '/ws?room=a%20b', '/ws?room=*', '/ws?room=ok&room=%21', '/ws?room=', `/ws/${'x'.repeat(300)}`,
  ])('answers %s, whose room has no valid name, with 400', async (path) => {
    const answer = await rawUpgrade(app.port, path);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    expect(app.hub.stats().clients).toBe(0);
  });

  it.each(['/', '/w', '/wss', '/ws2/lobby', '/WS', '/ws/a/b', '/ws/a/', '/ws//', '/api/ws', '/%77s', '/?path=/ws'])(
    'answers %s with 404',
    async (path) => {
      const answer = await rawUpgrade(app.port, path);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 404, error: 'Not Found' });
    },
  );

  it('answers an ordinary request below the path as the HTTP server does', async () => {
    const response = await fetch(`http://127.0.0.1:${app.port}/ws`);
    expect(response.status).toBe(404);
  });

  it.each([
    ['a key that is none', { 'Sec-WebSocket-Key': 'short' }, 'GET'],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 'GET'],
    ['another protocol beside it', { Upgrade: 'h2c, websocket' }, 'GET'],
    ['a subprotocol header that cannot be read', { 'Sec-WebSocket-Protocol': 'a,,b' }, 'GET'],
    ['another method', {}, 'POST'],
  ])('refuses an upgrade with %s, and counts nobody', async (_what, headers, method) => {
    const answer = await rawUpgrade(app.port, '/ws', headers, method);
    expect(answer.status).toBe(method === 'GET' ? 400 : 405);
    expect(JSON.parse(answer.body)).toMatchObject({ statusCode: answer.status });
    expect(app.hub.stats().clients).toBe(0);
  });

  it('names the versions of the protocol that it speaks to a client that speaks another', async () => {
    const answer = await rawUpgrade(app.port, '/ws', { 'Sec-WebSocket-Version': '7' });
    expect(answer.status).toBe(400);
    expect(answer.headers['sec-websocket-version']).toBe('13, 8');
    expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 400 });
  });

  it.each([
    [[], ''],
    [['realtime.v1'], 'realtime.v1'],
    [['chat', 'realtime.v1', 'realtime.v2'], 'realtime.v1'],
    [['bearer.a2V5', 'realtime.v1'], 'realtime.v1'],
  ])('selects of the subprotocols %j the one it speaks: %j', async (protocols, selected) => {
    const client = await TestClient.connect(`${app.url}/ws`, { protocols });
    expect(client.socket.protocol).toBe(selected);
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await client.close();
  });

  it('selects nothing when the client offers only what it does not speak', async () => {
    const answer = await rawUpgrade(app.port, '/ws', { 'Sec-WebSocket-Protocol': 'graphql-ws, bearer.a2V5' });
    expect(answer.status).toBe(101);
    expect(answer.headers).not.toHaveProperty('sec-websocket-protocol');
  });
});

describe.each(PLATFORMS)('another path, over %s', (platform) => {
  it.each([
    ['/realtime', '/realtime', '/realtime/lobby'],
    ['/realtime/', '/realtime/', '/realtime/lobby'],
    ['/api/v1/live', '/api/v1/live', '/api/v1/live/lobby'],
    ['/', '/', '/lobby'],
  ])('%s is where clients connect, whatever the global prefix', async (path, plain, withRoom) => {
    const app = await createApp({
      platform,
      realtime: { path, channels: { 'room:{name}': {} } },
      prepare: (nest) => nest.setGlobalPrefix('prefix'),
    });
    await (await TestClient.connect(app.url + plain)).close();
    const client = await TestClient.connect(app.url + withRoom);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect((await refusal(`${app.url}/prefix${path}/x`)).status).toBe(404);
    expect((await refusal(`${app.url}/ws/a/b`)).status).toBe(404);
    await client.close();
    await app.close();
  });

  it('names the channel of a room by roomChannel, as text or as a function', async () => {
    const asText = await createApp({ platform, realtime: { roomChannel: 'chat:{room}:live', channels: { '*': {} } } });
    const asFunction = await createApp({
      platform,
      realtime: { roomChannel: (room) => `f-${room.toLowerCase()}`, channels: { '*': {} } },
    });
    const first = await TestClient.connect(`${asText.url}/ws/one`, { greeted: false });
    expect((await first.next('connected')).data.channels).toEqual(['chat:one:live']);
    const second = await TestClient.connect(`${asFunction.url}/ws/ONE`, { greeted: false });
    expect((await second.next('connected')).data.channels).toEqual(['f-one']);
    await Promise.all([asText.close(), asFunction.close()]);
  });

  it('answers a room that roomChannel gives no valid name with 400', async () => {
    const app = await createApp({ platform, realtime: { roomChannel: () => 'not a name', channels: { '*': {} } } });
    expect((await refusal(`${app.url}/ws/x`)).status).toBe(400);
    await app.close();
  });

  it('answers with 500 when roomChannel throws, and the client learns nothing of it', async () => {
    const logger = new RecordingLogger();
    const roomChannel = (): string => {
      throw new Error('secret detail');
    };
    const app = await createApp({ platform, realtime: { roomChannel, channels: { '*': {} } }, prepare: (nest) => nest.useLogger(logger) });
    expect(await refusal(`${app.url}/ws/x`)).toMatchObject({ status: 500, body: { statusCode: 500, message: 'Internal Server Error' } });
    expect(logger.text).toContain('secret detail');
    await (await TestClient.connect(`${app.url}/ws`)).close();
    await app.close();
  });

  it('tells a client whose room nothing declares so, and keeps it', async () => {
    const app = await createApp({ platform });
    const client = await TestClient.connect(`${app.url}/ws/lobby`, { greeted: false });
    expect(await client.next('connected')).toMatchObject({ data: { channels: [] } });
    expect(await client.next('error')).toMatchObject({ channel: 'room:lobby', data: { code: 'forbidden' } });
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await app.close();
  });
});
