import { refusal, TestClient, type TestFrame } from '../../support/test-client';
import { RedisServer } from '../../support/redis-server';
import { SampleProcess } from './sample-process';

let chat: SampleProcess;
const clients: TestClient[] = [];
let rooms = 0;

/** Every test has a room of its own. */
const newRoom = (): string => `room-${++rooms}`;

async function enter(name?: string): Promise<TestClient> {
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
  const client = await TestClient.connect(`${chat.socketUrl}${query}`);
  clients.push(client);
  return client;
}

const namesIn = (frame: TestFrame): string[] =>
  (frame.data.members as { info: { name: string } }[]).map(({ info }) => info.name).toSorted();

beforeAll(async () => {
  chat = await SampleProcess.start('01-chat');
}, 120_000);

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(() => chat?.stop());

describe('the page', () => {
  it('is served with a policy that lets it load from nowhere else', async () => {
    const response = await fetch(chat.url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await response.text()).toContain('<title>Common Room</title>');
  });

  it('finds what it loads', async () => {
    const page = await (await fetch(chat.url)).text();
    const files = [...page.matchAll(/(?:href|src)="((?:css|js)\/[^"]+|favicon\.svg)"/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(5);
    for (const file of [...files, 'shared/connection.js', 'realtime-client.mjs']) {
      expect([file, (await fetch(new URL(file, chat.url))).status]).toEqual([file, 200]);
    }
  });
});

describe('names', () => {
  it('are what the others in the room see', async () => {
    const room = newRoom();
    const ada = await enter('  Ada   Lovelace ');
    await ada.subscribe(`room:${room}`);
    expect(namesIn(await ada.request({ type: 'presence', channel: `room:${room}` }))).toEqual(['Ada Lovelace']);
  });

  it('are made up for who gives none', async () => {
    const room = newRoom();
    const guest = await enter();
    await guest.subscribe(`room:${room}`);
    const [name] = namesIn(await guest.request({ type: 'presence', channel: `room:${room}` }));
    expect(name).toMatch(/^Guest [\da-f]{4}$/);
  });

  it.each([
    ['x'.repeat(25), 'name must have 1 to 24 characters'],
    ['<script>', 'name may have letters, digits, spaces, dots, dashes and apostrophes'],
    ['   ', 'name must have 1 to 24 characters'],
  ])('are refused before there is a connection: %j', async (name, reason) => {
    const { status, body } = await refusal(`${chat.socketUrl}?name=${encodeURIComponent(name)}`);
    expect(status).toBe(400);
    expect(body.message).toContain(reason);
  });
});

describe('messages', () => {
  it('reach everybody in the room, the sender too, and nobody elsewhere', async () => {
    const [room, other] = [newRoom(), newRoom()];
    const [ada, grace, alan] = [await enter('Ada'), await enter('Grace'), await enter('Alan')];
    await Promise.all([ada.subscribe(`room:${room}`), grace.subscribe(`room:${room}`), alan.subscribe(`room:${other}`)]);

    const ack = await ada.request({ type: 'chat', channel: `room:${room}`, data: { text: ' Hello ', key: 'k1' } });

    const expected = { channel: `room:${room}`, data: { name: 'Ada', text: 'Hello', key: 'k1' }, cursor: ack.cursor };
    expect(await ada.next('chat')).toMatchObject(expected);
    expect(await grace.next('chat')).toMatchObject(expected);
    expect((await alan.settled()).map(({ type }) => type)).not.toContain('chat');
  });

  it.each([
    [{ text: 'x'.repeat(1001) }, 'text', 'A message can have up to 1000 characters'],
    [{ text: ' \n ' }, 'text', 'A message needs a text'],
    [{ text: 7 }, 'text', 'A message needs a text'],
    [{ text: 'hi', key: 'a b' }, 'key', 'key can have up to 40 letters, digits, dashes and underscores'],
  ])('are refused with the rule that they break, and reach nobody: %#', async (data, property, problem) => {
    const channel = `room:${newRoom()}`;
    const [ada, grace] = [await enter('Ada'), await enter('Grace')];
    await Promise.all([ada.subscribe(channel), grace.subscribe(channel)]);

    const reply = await ada.request({ type: 'chat', channel, data });

    expect(reply).toMatchObject({ type: 'error', channel, data: { code: 'validation_failed' } });
    const detail = (reply.data.details as { property: string; constraints: object }[]).find((one) => one.property === property);
    expect(Object.values(detail!.constraints)).toContain(problem);
    expect((await grace.settled()).map(({ type }) => type)).not.toContain('chat');
  });

  it('can be sent with nothing but a path: the room is in it', async () => {
    const room = newRoom();
    const client = await TestClient.connect(`${chat.socketUrl}/${room}?name=Ada`);
    clients.push(client);
    client.send({ type: 'chat', data: { text: 'Hello!' } });
    expect(await client.next('chat')).toMatchObject({ channel: `room:${room}`, data: { name: 'Ada', text: 'Hello!' } });
  });

  it('are there for who enters later, in their order', async () => {
    const channel = `room:${newRoom()}`;
    const ada = await enter('Ada');
    await ada.subscribe(channel);
    for (const text of ['one', 'two', 'three']) await ada.request({ type: 'chat', channel, data: { text } });

    const grace = await enter('Grace');
    await grace.subscribe(channel, { replay: 100 });

    const replayed = (await grace.settled()).filter(({ type }) => type === 'chat');
    expect(replayed.map(({ data }) => data.text as string)).toEqual(['one', 'two', 'three']);
  });
});

describe('members', () => {
  it('come and go before the eyes of the others', async () => {
    const channel = `room:${newRoom()}`;
    const ada = await enter('Ada');
    await ada.subscribe(channel);

    const grace = await enter('Grace');
    await grace.subscribe(channel);
    expect((await ada.next('join')).data.info).toEqual({ name: 'Grace' });
    expect(namesIn(await grace.request({ type: 'presence', channel }))).toEqual(['Ada', 'Grace']);

    await grace.close();
    expect((await ada.next('leave')).data.info).toEqual({ name: 'Grace' });
    expect(namesIn(await ada.request({ type: 'presence', channel }))).toEqual(['Ada']);
  });

  it('see who is typing, which takes no place in the history', async () => {
    const room = newRoom();
    const [ada, grace] = [await enter('Ada'), await enter('Grace')];
    for (const client of [ada, grace]) {
      await client.subscribe(`room:${room}`);
      await client.subscribe(`typing:${room}`);
    }

    await ada.request({ type: 'typing', channel: `typing:${room}` });

    expect((await grace.next('typing')).data).toEqual({ name: 'Ada' });
    expect((await ada.settled()).map(({ type }) => type)).not.toContain('typing');
    expect((await ada.request({ type: 'history', channel: `room:${room}` })).data.publications).toEqual([]);
  });

  it('alone may watch a room being typed in', async () => {
    const stranger = await enter('Mallory');
    const reply = await stranger.request({ type: 'subscribe', channel: `typing:${newRoom()}` });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'forbidden' } });
  });
});

describe('rooms', () => {
  it('are listed with how many are in them, and watchers learn of changes', async () => {
    const room = newRoom();
    const watcher = await enter('Ada');
    const { data } = await watcher.subscribe('directory');
    expect(data).toContainEqual(expect.objectContaining({ name: 'lobby', permanent: true }));

    const inRoom = (members: number) => (frame: TestFrame) => frame.data?.name === room && frame.data.members === members;
    const grace = await enter('Grace');
    await grace.subscribe(`room:${room}`);
    await watcher.take(inRoom(1), 'one in the room');
    const listed = (await (await fetch(new URL('api/rooms', chat.url))).json()) as unknown[];
    expect(listed).toContainEqual(expect.objectContaining({ name: room, members: 1, permanent: false }));
    await grace.close();
    await watcher.take(inRoom(0), 'nobody in the room');
  });

  it.each(['Lobby', 'a_b', '-a', 'x'.repeat(33)])('cannot be called %s', async (name) => {
    const client = await enter('Ada');
    const reply = await client.request({ type: 'subscribe', channel: `room:${name}` });
    expect(reply).toMatchObject({ type: 'error', data: { code: 'bad_request' } });
  });

  it('may be called like something that every object has', async () => {
    const client = await enter('Ada');
    expect((await client.subscribe('room:constructor')).data).toMatchObject({ name: 'constructor', permanent: false });
  });
});

describe('the process', () => {
  it('is one chat with another process that has the same REDIS_URL', async () => {
    const redis = await RedisServer.start();
    const samples = await Promise.all([1, 2].map(() => SampleProcess.start('01-chat', { REDIS_URL: redis.url })));
    const pair = await Promise.all(samples.map(({ socketUrl }) => TestClient.connect(socketUrl)));
    for (const client of pair) await client.subscribe('room:lobby');
    await pair[0]!.request({ type: 'chat', channel: 'room:lobby', data: { text: 'across' } });
    expect((await pair[1]!.next('chat')).data).toMatchObject({ text: 'across' });
    await Promise.all(pair.map((client) => client.close()));
    await Promise.all(samples.map((sample) => sample.stop()));
    await redis.kill();
  });

  it('refuses a PORT that is none', async () => {
    await expect(SampleProcess.start('01-chat', { PORT: 'http' })).rejects.toThrow(/PORT is "http": it must be a whole number/);
  });

  it('says what to do where the port is in use', async () => {
    const first = await SampleProcess.start('01-chat');
    const second = SampleProcess.start('01-chat', { PORT: first.port });
    await expect(second).rejects.toThrow(/ended with code 1[^]*Choose another one, such as PORT=/);
    await first.stop();
  });

  it('sends everybody away, with advice when to come back, before it stops', async () => {
    const sample = await SampleProcess.start('01-chat');
    const client = await TestClient.connect(sample.socketUrl);
    await client.subscribe('room:lobby');
    const stopped = sample.stop();
    const { data } = await client.next('draining');
    expect(data.reconnectAfter).toBeGreaterThanOrEqual(0);
    expect(data.reconnectAfter).toBeLessThanOrEqual(2000);
    expect((await client.closed).code).toBe(1001);
    expect(await stopped).toBe('SIGTERM');
  });
});
