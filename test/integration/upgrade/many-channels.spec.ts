import { Injectable } from '@nestjs/common';
import { ChannelParam, HandshakeQuery, OnHandshake, OnSubscribe } from 'nestjs-realtime';
import type { TestApp } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { TestClient, type TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const KIB = 1024;

/** What a channel answers is as long as its name says: `big:{bytes}.{number}`. */
@Injectable()
class Channels {
  @OnHandshake()
  handshake(@HandshakeQuery('bytes') bytes: string, @HandshakeQuery('count') count?: string): string[] {
    return namesOf(Number(bytes), Number(count ?? 0));
  }

  @OnSubscribe('big:{name}')
  subscribe(@ChannelParam('name') name: string): string {
    return 'x'.repeat(Number.parseInt(name));
  }
}

function namesOf(bytes: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `big:${bytes}.${i}`);
}

function channelsOf(frames: readonly TestFrame[], type: string): string[] {
  return frames.filter((frame) => frame.type === type).map(({ channel }) => channel!).toSorted();
}

describe('Many channels that the server joins', () => {
  const createApp = testApps();
  let app: TestApp;

  beforeEach(async () => {
    app = await createApp({ providers: [Channels], realtime: {} });
  });

  const connect = async (bytes: number, count: number): Promise<TestClient> =>
    TestClient.connect(`${app.url}/ws?bytes=${bytes}&count=${count}`, { greeted: false });
  const framesOf = (client: TestClient, count: number): Promise<unknown> =>
    waitFor(`${count} answers`, () => client.frames.length === count + 1);

  it('are all in the greeting, as far as their answers have room in the queue', async () => {
    const client = await connect(1, 256);
    await framesOf(client, 256);
    expect(client.frames[0]).toMatchObject({ type: 'connected' });
    expect((client.frames[0]!.data.channels as string[]).toSorted()).toEqual(namesOf(1, 256).toSorted());
    expect(channelsOf(client.frames, 'subscribed')).toEqual(namesOf(1, 256).toSorted());
    await client.close();
  });

  it.each([
    ['more than limits.sendQueueFrames', 1, 1024],
    ['with more to say than limits.sendQueueBytes', 25 * KIB, 200],
  ])('%s, are joined while the client reads', async (_, bytes, count) => {
    const client = await connect(bytes, count);
    await framesOf(client, count);
    expect(client.frames[0]).toMatchObject({ type: 'connected' });
    expect(channelsOf(client.frames, 'subscribed')).toEqual(namesOf(bytes, count).toSorted());
    expect(app.hub.stats()).toMatchObject({ subscribers: count, evicted: 0, dropped: 0 });
    await client.close();
  });

  it('end at limits.subscriptionsPerConnection, as when the client asks for them', async () => {
    const client = await connect(1, 1025);
    await framesOf(client, 1025);
    expect(channelsOf(client.frames, 'subscribed')).toHaveLength(1024);
    expect(client.frames.filter(({ type }) => type === 'error')).toMatchObject([{ data: { code: 'limit_exceeded' } }]);
    await client.close();
  });

  it('with more to say than limits.sendQueueBytes, are joined while the reader of a stream reads', async () => {
    const names = namesOf(25 * KIB, 64);
    const query = names.map((name) => `channel=${name}`).join('&');
    const stream = await EventStream.open(`http://127.0.0.1:${app.port}/ws/events?${query}`);
    await waitFor('the answers', () => stream.events.length === 65);
    expect(stream.events[0]!.frame.type).toBe('connected');
    expect(channelsOf(stream.events.map(({ frame }) => frame), 'subscribed')).toEqual(names.toSorted());
    expect(app.hub.stats()).toMatchObject({ evicted: 0 });
    stream.close();
  });
});
