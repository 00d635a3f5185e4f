import { PLATFORMS } from '../../support/create-app';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import type { TestFrame } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

const channels = { 'plain:{name}': {}, 'kept:{name}': { history: { size: 100, ttl: '1m' } } };

const numbers = (frames: TestFrame[], channel: string): unknown[] =>
  frames.filter((frame) => frame.channel === channel && frame.type === 'n').map(({ data }) => data as unknown);

describe.each(PLATFORMS)('resuming an event stream, over %s', (platform) => {
  const start = testApps();

  it('continues every channel from the id of the last event, each exactly once and in order', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const url = `http://127.0.0.1:${port}/ws/events?channel=kept:a&channel=kept:b&channel=plain:c`;
    const first = await EventStream.open(url);
    await waitFor('all channels', () => first.ofType('subscribed').length === 3);
    for (let n = 1; n <= 5; n++) {
      await hub.publish('kept:a', n, { type: 'n' });
      await hub.publish('kept:b', n, { type: 'n' });
    }
    await hub.publish('plain:c', 1, { type: 'n' });
    await waitFor('all of it', () => first.ofType('n').length === 11);
    expect(first.events.filter(({ ownId }) => ownId !== undefined).every(({ frame }) => frame.cursor !== undefined)).toBe(true);
    expect(first.events.at(-1)!.ownId).toBeUndefined();
    first.close();

    // As if the connection had broken in the middle: each id stands for what came up to and with its event.
    for (const [index, { id }] of first.events.entries()) {
      const seen = first.frames.slice(0, index + 1);
      if (seen.filter(({ type, recoverable }) => type === 'subscribed' && recoverable).length < 2) continue;
      const later = await EventStream.open(url, { headers: { 'Last-Event-ID': id! } });
      const owed = 10 - numbers(seen, 'kept:a').length - numbers(seen, 'kept:b').length;
      await waitFor('what was missed', () => later.ofType('subscribed').length === 3 && later.ofType('n').length >= owed);
      for (const channel of ['kept:a', 'kept:b']) {
        const answer = later.ofType('subscribed').find((frame) => frame.channel === channel);
        expect(answer).toMatchObject({ recoverable: true, recovered: true });
        expect([...numbers(seen, channel), ...numbers(later.frames, channel)]).toEqual([1, 2, 3, 4, 5]);
      }
      later.close();
    }
  });

  it('goes on with live publications where the missed ones end, in the query as well as in the header', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const url = `http://127.0.0.1:${port}/ws/events?channel=kept:a`;
    const first = await EventStream.open(url);
    await first.next('subscribed');
    first.close();
    const publishing = (async () => {
      for (let n = 1; n <= 80; n++) await hub.publish('kept:a', n, { type: 'n' });
    })();
    const later = await EventStream.open(`${url}&lastEventId=${encodeURIComponent(first.lastEventId!)}`);
    await publishing;
    await waitFor('all of it', () => later.ofType('n').length >= 80);
    expect(numbers(later.frames, 'kept:a')).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(later.ofType('subscribed')).toMatchObject([{ recovered: true }]);
    later.close();
  });

  it('takes a cursor with each channel, as a page rendered on the server has them; the id goes before it', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const base = `http://127.0.0.1:${port}/ws/events`;
    const first = await EventStream.open(`${base}?channel=kept:a&cursor=&channel=kept:b`);
    await waitFor('both', () => first.ofType('subscribed').length === 2);
    expect(first.ofType('subscribed').every(({ recovered }) => recovered === undefined)).toBe(true);
    const { cursor = '' } = first.ofType('subscribed').find(({ channel }) => channel === 'kept:a')!;
    await hub.publish('kept:a', 1, { type: 'n' });
    await first.next('n');
    first.close();

    const url = `${base}?channel=kept:b&cursor=garbage&channel=kept:a&cursor=${cursor}`;
    const rendered = await EventStream.open(url);
    await waitFor('all of it', () => rendered.ofType('subscribed').length === 2 && rendered.ofType('n').length === 1);
    expect(Object.fromEntries(rendered.ofType('subscribed').map(({ channel, recovered }) => [channel, recovered]))).toEqual({
      'kept:a': true,
      'kept:b': false,
    });
    rendered.close();
    const again = await EventStream.open(url, { headers: { 'Last-Event-ID': rendered.lastEventId! } });
    await waitFor('both', () => again.ofType('subscribed').length === 2);
    expect(again.ofType('subscribed').every(({ recovered }) => recovered)).toBe(true);
    await hub.publish('kept:a', 2, { type: 'n' });
    await again.next('n');
    expect(numbers(again.frames, 'kept:a')).toEqual([2]);
    again.close();
  });

  it('says recovered: false to an id that proves nothing, whatever is in it', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const url = `http://127.0.0.1:${port}/ws/events?channel=kept:a&channel=__proto__`;
    await hub.publish('kept:a', 1, { type: 'n' });
    const garbage = ['x', '__proto__', '{"__proto__":{"a":1}}', ',,,', '%', '%00%FF', `${'a'.repeat(8)}%E0%A4%A`, 'A'.repeat(9000)];
    for (const id of garbage) {
      const stream = await EventStream.open(url, { headers: { 'Last-Event-ID': id } });
      const answer = await stream.next('subscribed');
      expect([id, answer.channel, answer.recovered]).toEqual([id, 'kept:a', false]);
      expect(stream.ofType('n')).toEqual([]);
      stream.close();
    }
    expect({}).not.toHaveProperty('a');
  });

  it('says recovered: false to a forged position of the right channel, and continues from the present', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const url = `http://127.0.0.1:${port}/ws/events?channel=kept:a`;
    const first = await EventStream.open(url);
    await hub.publish('kept:a', 1, { type: 'n' });
    await first.next('n');
    first.close();
    const forged = first.lastEventId!.replace(/-1-/, '-7-');
    expect(forged).not.toBe(first.lastEventId);
    const later = await EventStream.open(url, { headers: { 'Last-Event-ID': forged } });
    expect(await later.next('subscribed')).toMatchObject({ recovered: false });
    await hub.publish('kept:a', 2, { type: 'n' });
    await later.next('n');
    expect(numbers(later.frames, 'kept:a')).toEqual([2]);
    later.close();
  });

  it('keeps the ids of as many channels as a stream may have under 4 KB', async () => {
    const { port, hub } = await start({ platform, realtime: { channels } });
    const names = Array.from({ length: 64 }, (_, index) => `kept:${'long'.repeat(30)}${index}`);
    const url = `http://127.0.0.1:${port}/ws/events?${names.map((name) => `channel=${name}`).join('&')}`;
    const first = await EventStream.open(url);
    await waitFor('all channels', () => first.ofType('subscribed').length === 64);
    expect(first.lastEventId!.length).toBeLessThan(4096);
    first.close();
    for (const name of names) await hub.publish(name, 1, { type: 'n' });
    const later = await EventStream.open(url, { headers: { 'Last-Event-ID': first.lastEventId! } });
    await waitFor('one of each', () => later.ofType('n').length === 64);
    expect(later.ofType('subscribed').filter(({ recovered }) => recovered)).toHaveLength(64);
    later.close();
  });
});
