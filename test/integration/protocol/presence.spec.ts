import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { apiKeys, type Connection, ConnectedClient, OnConnect, SubscribeChannel } from 'nestjs-realtime';
import { createApp, type TestApp } from '../../support/create-app';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Rooms {
  @OnConnect()
  connect(@ConnectedClient() client: Connection): void {
    client.info = { color: client.user?.id === 'alice' ? 'red' : 'blue' };
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

describe('presence', () => {
  let app: TestApp;
  const clients: TestClient[] = [];

  beforeAll(async () => {
    app = await createApp({
      providers: [Rooms],
      realtime: {
        auth: { authenticator: apiKeys({ a: 'alice', b: 'bob' }) },
        channels: {
          'room:{name}': { presence: true, history: { size: 10, ttl: '1m' } },
          'quiet:{name}': { presence: { announce: false } },
          'plain:{name}': {},
        },
      },
    });
  });
  afterAll(() => app.close());
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await waitFor('nobody', () => app.hub.stats().clients === 0);
  });

  /** Connects as the owner of a key. */
  const connect = async (key: string): Promise<{ client: TestClient; id: string }> => {
    const client = await TestClient.connect(`${app.url}/ws`, { headers: { authorization: `Bearer ${key}` }, greeted: false });
    clients.push(client);
    return { client, id: (await client.next('connected')).data.connectionId };
  };

  it('tells who is there: every connection, and how many users', async () => {
    const [alice, alice2, bob] = [await connect('a'), await connect('a'), await connect('b')];
    for (const { client } of [alice, alice2, bob]) await client.subscribe('room:a');
    const reply = await bob.client.request({ type: 'presence', channel: 'room:a' });
    expect(reply).toEqual({
      type: 'presence',
      id: reply.id,
      channel: 'room:a',
      data: {
        members: expect.arrayContaining([
          { connectionId: alice.id, user: 'alice', info: { color: 'red' } },
          { connectionId: alice2.id, user: 'alice', info: { color: 'red' } },
          { connectionId: bob.id, user: 'bob', info: { color: 'blue' } },
        ]),
        count: 3,
        users: 2,
      },
      timestamp: expect.any(String),
    });
    expect(await app.hub.presence('room:a')).toEqual(reply.data);
  });

  it('announces who comes and goes, once, and not to themselves', async () => {
    const [alice, bob] = [await connect('a'), await connect('b')];
    await alice.client.subscribe('room:a');
    await bob.client.subscribe('room:a');
    await bob.client.subscribe('room:a');
    const member = { connectionId: bob.id, user: 'bob', info: { color: 'blue' } };
    expect(await alice.client.next('join')).toEqual({ type: 'join', channel: 'room:a', data: member, timestamp: expect.any(String) });
    await bob.client.request({ type: 'unsubscribe', channel: 'room:a' });
    expect(await alice.client.next('leave')).toEqual({ type: 'leave', channel: 'room:a', data: member, timestamp: expect.any(String) });
    await bob.client.subscribe('room:a');
    expect(await alice.client.next('join')).toMatchObject({ data: member });
    bob.client.socket.terminate();
    expect(await alice.client.next('leave')).toMatchObject({ data: member });
    await alice.client.settled();
    expect(alice.client.frames.filter(({ type }) => type === 'join' || type === 'leave')).toEqual([]);
    expect(bob.client.ofType('join')).toEqual([]);
  });

  it('keeps joins and leaves out of the history', async () => {
    const [alice, bob] = [await connect('a'), await connect('b')];
    await alice.client.subscribe('room:b');
    await bob.client.subscribe('room:b');
    await bob.client.request({ type: 'unsubscribe', channel: 'room:b' });
    await alice.client.next('leave');
    expect((await alice.client.request({ type: 'history', channel: 'room:b' })).data.publications).toEqual([]);
  });

  it('is kept quietly with announce: false', async () => {
    const [alice, bob] = [await connect('a'), await connect('b')];
    await alice.client.subscribe('quiet:a');
    await bob.client.subscribe('quiet:a');
    expect((await alice.client.request({ type: 'presence', channel: 'quiet:a' })).data).toMatchObject({ count: 2, users: 2 });
    expect(alice.client.ofType('join')).toEqual([]);
  });

  it('is not_found on a channel without it, and not_subscribed on one that is not held', async () => {
    const { client } = await connect('a');
    await client.subscribe('plain:a');
    expect((await client.request({ type: 'presence', channel: 'plain:a' })).data.code).toBe('not_found');
    expect((await client.request({ type: 'presence', channel: 'room:a' })).data.code).toBe('not_subscribed');
    expect((await client.request({ type: 'presence' })).data.code).toBe('invalid_channel');
  });

  it('ends with the last member', async () => {
    const { client } = await connect('a');
    await client.subscribe('room:c');
    await client.close();
    await waitFor('nobody', async () => (await app.hub.presence('room:c')).count === 0);
    expect(await app.hub.presence('room:c')).toEqual({ members: [], count: 0, users: 0 });
  });

  it('is right after many have come and gone at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => connect(i % 2 === 0 ? 'a' : 'b')));
    await Promise.all(
      all.map(async ({ client }, i) => {
        await client.subscribe('room:d');
        if (i % 3 === 0) await client.request({ type: 'unsubscribe', channel: 'room:d' });
        if (i % 3 === 1) client.socket.terminate();
      }),
    );
    const remaining = all.filter((_, i) => i % 3 === 2).map(({ id }) => id);
    await waitFor('the rest', async () => (await app.hub.presence('room:d')).count === remaining.length);
    const { members } = await app.hub.presence('room:d');
    expect(members.map(({ connectionId }) => connectionId).toSorted()).toEqual(remaining.toSorted());
  });
});
