import { createApp, type TestApp } from '../../support/create-app';
import { TestClient, type TestFrame } from '../../support/test-client';

describe('history', () => {
  let app: TestApp;
  let client: TestClient;
  let room = 0;
  let channel: string;

  beforeAll(async () => {
    app = await createApp({ realtime: { channels: { 'kept:{name}': { history: { size: 10, ttl: '1m' } }, 'plain:{name}': {} } } });
    client = await TestClient.connect(`${app.url}/ws`);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    channel = `kept:${room++}`;
    await client.subscribe(channel);
  });

  const publish = async (count: number): Promise<string[]> => {
    const cursors: string[] = [];
    for (let i = 0; i < count; i++) cursors.push((await app.hub.publish(channel, i, { type: 'n', from: 'server' })).cursor!);
    return cursors;
  };
  const ask = (data?: object): Promise<TestFrame> => client.request({ type: 'history', channel, data });
  const numbersOf = (reply: TestFrame): number[] => reply.data.publications.map((publication: TestFrame) => publication.data);

  it('holds publications as they were sent, oldest first', async () => {
    const [first, second] = await publish(2);
    const reply = await ask();
    expect(reply).toEqual({
      type: 'history',
      id: reply.id,
      channel,
      data: {
        publications: [
          { type: 'n', channel, data: 0, from: 'server', cursor: first, timestamp: expect.any(String) },
          { type: 'n', channel, data: 1, from: 'server', cursor: second, timestamp: expect.any(String) },
        ],
        cursor: second,
        complete: true,
      },
      timestamp: expect.any(String),
    });
    expect(reply.data.publications).toEqual(client.ofType('n').filter((frame) => frame.channel === channel));
  });

  it('is empty and complete on a channel that nobody has published on', async () => {
    expect((await ask()).data).toEqual({ publications: [], cursor: expect.any(String), complete: true });
  });

  it.each([
    [{ limit: 3 }, [0, 1, 2], false],
    [{ limit: 10 }, [0, 1, 2, 3, 4], true],
    [{ limit: 5 }, [0, 1, 2, 3, 4], true],
    [{ limit: 2, reverse: true }, [4, 3], false],
    [{ reverse: true }, [4, 3, 2, 1, 0], true],
    [{ reverse: false }, [0, 1, 2, 3, 4], true],
    [{ limit: 1_000_000 }, [0, 1, 2, 3, 4], true],
    [{}, [0, 1, 2, 3, 4], true],
  ])('%j gives %j, complete: %j', async (request, expected, complete) => {
    await publish(5);
    const reply = await ask(request);
    expect(numbersOf(reply)).toEqual(expected);
    expect(reply.data.complete).toBe(complete);
  });

  it.each([false, true])('can be paged through by cursors, reverse: %j', async (reverse) => {
    const cursors = await publish(7);
    const seen: number[] = [];
    let after: string | undefined;
    for (let complete = false; !complete;) {
      const reply = await ask({ limit: 3, after, reverse });
      seen.push(...numbersOf(reply));
      after = reply.data.publications.at(-1)?.cursor;
      complete = reply.data.complete;
      expect(reply.data.cursor).toBe(cursors.at(-1));
    }
    expect(seen).toEqual(reverse ? [6, 5, 4, 3, 2, 1, 0] : [0, 1, 2, 3, 4, 5, 6]);
  });

  it('tells when what lay after the cursor has been trimmed', async () => {
    const [first] = await publish(1);
    await publish(12);
    expect((await ask({ after: first })).data.complete).toBe(false);
    expect(numbersOf(await ask())).toHaveLength(10);
  });

  it.each([
    ['a limit of 0', { limit: 0 }],
    ['a negative limit', { limit: -1 }],
    ['half a limit', { limit: 1.5 }],
    ['a limit as text', { limit: '3' }],
    ['a cursor that is none', { after: 'nonsense' }],
    ['a number for a cursor', { after: 7 }],
    ['text for reverse', { reverse: 'yes' }],
    ['text for data', 'text'],
    ['a number for data', 7],
    ['an array for data', [3]],
    ['true for data', true],
  ])('%s is a bad_request', async (_, data) => {
    expect(await client.request({ type: 'history', channel, data })).toMatchObject({ type: 'error', channel, data: { code: 'bad_request' } });
  });

  it('is not_found on a channel without it, and not_subscribed on one that is not held', async () => {
    await client.subscribe('plain:a');
    expect((await client.request({ type: 'history', channel: 'plain:a' })).data.code).toBe('not_found');
    expect((await client.request({ type: 'history', channel: 'kept:other' })).data.code).toBe('not_subscribed');
    expect((await client.request({ type: 'history' })).data.code).toBe('invalid_channel');
    await client.request({ type: 'unsubscribe', channel: 'plain:a' });
  });

  it('is forgotten by clearHistory', async () => {
    await publish(3);
    await app.hub.clearHistory(channel);
    expect(numbersOf(await ask())).toEqual([]);
    await publish(1);
    expect(numbersOf(await ask())).toEqual([0]);
  });

  it('is there for the server too', async () => {
    await publish(3);
    const page = await app.hub.history(channel, { limit: 2, reverse: true });
    expect(page.publications.map(({ data }) => data)).toEqual([2, 1]);
    expect(page.complete).toBe(false);
    await expect(app.hub.history('plain:a')).rejects.toMatchObject({ code: 'not_found' });
    await expect(app.hub.history('not a name')).rejects.toMatchObject({ code: 'invalid_channel' });
  });
});
