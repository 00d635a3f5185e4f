import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { OnMessage, OnSubscribe, SubscribeChannel } from 'nestjs-realtime';
import { EMPTY, from, of, Subject } from 'rxjs';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { TestClient } from '../../support/test-client';

const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)));

/** What handlers return, and what becomes of it. Undefined: nothing. */
const RESULTS: [string, () => unknown, unknown][] = [
  ['an object', () => ({ a: 1 }), { a: 1 }],
  ['an array', () => [1, 2], [1, 2]],
  ['a string', () => 'text', 'text'],
  ['an empty string', () => '', ''],
  ['zero', () => 0, 0],
  ['false', () => false, false],
  ['null', () => null, null],
  ['undefined', () => undefined, undefined],
  ['a Promise', () => later({ a: 1 }), { a: 1 }],
  ['a Promise of undefined', () => later(undefined), undefined],
  ['an Observable of one value', () => of('one'), 'one'],
  ['an Observable of several values', () => from([1, 2, 3]), 3],
  ['an empty Observable', () => EMPTY, undefined],
  ['an Observable of a later value', () => from(later('later')), 'later'],
  ['a Promise of an Observable', () => later(of('both')), 'both'],
  ['a Date', () => new Date(0), '1970-01-01T00:00:00.000Z'],
  ['an object with toJSON', () => ({ toJSON: () => 'own' }), 'own'],
  ['text that JSON has to escape', () => 'a "b" \n \u2028 \u{1F600} \uD800', 'a "b" \n \u2028 \u{1F600} \uD800'],
];

@Injectable()
class Handlers {
  private make(name: string): unknown {
    return RESULTS.find(([known]) => known === name)![1]();
  }

  @OnMessage('request')
  request(@MessageBody() name: string): unknown {
    return this.make(name);
  }

  @OnSubscribe('join')
  join(@MessageBody('name') name: string): unknown {
    return this.make(name);
  }

  @SubscribeChannel('say')
  say(@MessageBody() name: string): unknown {
    return this.make(name);
  }

  readonly endless = new Subject<string>();

  @OnMessage('endless')
  endlessly(): unknown {
    return this.endless;
  }
}

describe.each(PLATFORMS)('what handlers return, over %s', (platform) => {
  let app: TestApp;
  let client: TestClient;

  beforeAll(async () => {
    app = await createApp({ platform, providers: [Handlers] });
    client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('say');
  });
  afterAll(() => app.close());
  afterEach(() => client.request({ type: 'unsubscribe', channel: 'join' }));

  it.each(RESULTS)('%s is the data of the ack', async (name, _, data) => {
    const reply = await client.request({ type: 'request', data: name });
    expect(reply).toEqual({ type: 'ack', id: reply.id, data, timestamp: expect.any(String) });
    expect('data' in reply).toBe(data !== undefined);
  });

  it.each(RESULTS)('%s is the data of the subscribed reply', async (name, _, data) => {
    const reply = await client.subscribe('join', { data: { name } });
    expect('data' in reply).toBe(data !== undefined);
    expect(reply.data).toEqual(data);
  });

  it.each(RESULTS)('CHECKLIST 30: %s is what is published, undefined is nothing', async (name, _, data) => {
    const ack = await client.request({ type: name, channel: 'say', data: name });
    expect(ack).toEqual({ type: 'ack', id: ack.id, channel: 'say', timestamp: expect.any(String) });
    await client.settled();
    const published = client.frames.filter(({ type, channel }) => type === name && channel === 'say');
    expect(published.map((frame) => frame.data)).toEqual(data === undefined ? [] : [data]);
  });

  it('an Observable is answered when it ends, and holds nobody up until then', async () => {
    const waiting = client.request({ type: 'endless' });
    expect((await client.request({ type: 'request', data: 'a string' })).data).toBe('text');
    const { endless } = app.app.get(Handlers);
    endless.next('first');
    endless.next('last');
    endless.complete();
    expect((await waiting).data).toBe('last');
  });

  it('without an id there is no ack', async () => {
    client.send({ type: 'request', data: 'a string' });
    client.send({ type: 'silent', channel: 'say', data: 'a string' });
    await client.next('silent');
    expect((await client.settled()).filter(({ id, type }) => type === 'ack' && id === undefined)).toEqual([]);
  });
});
