import { announcementOrigin, announcementTest } from '../../../lib/hub/announcements';
import { encodeMessage } from '../../../lib/protocol/envelope';
import { connect, createMemoryAdapter, settle, startHub } from './hub-kit';
import type { AdapterReceiver } from '../../../lib/adapter/hub-adapter';

const OPTIONS = { channels: { 'room:{name}': { presence: true, slowConsumer: 'latest' } } } as const;

describe('announcements', () => {
  it('are not replaced by what is published on a channel that keeps only the latest', () => {
    expect(announcementOrigin({ channel: 'a', policy: 'latest' })).toEqual({ channel: 'a', policy: 'disconnect' });
    const origin = { channel: 'a', policy: 'drop' } as const;
    expect(announcementOrigin(origin)).toBe(origin);
  });

  it.each([
    [{ type: 'type', data: 'data' }],
    [{ type: 'event', data: 'payload' }],
  ])('are known by their bytes, with the envelope %j', (fields) => {
    const isAnnouncement = announcementTest(fields);
    const of = (type: string, data: unknown) => isAnnouncement(Buffer.from(encodeMessage({ type, channel: 'a', data }, fields)));
    expect([of('join', {}), of('leave', {}), of('joined', {}), of('message', 'join')]).toEqual([true, true, false, false]);
    expect(isAnnouncement(Buffer.from(''))).toBe(false);
  });

  it('stand beside publications, the instance of the member and the others alike', async () => {
    let receiver: AdapterReceiver | undefined;
    const adapter = createMemoryAdapter();
    const start = adapter.start.bind(adapter);
    adapter.start = (given) => start((receiver = given));
    const hub = await startHub(OPTIONS, adapter);
    const [alice, bob] = [connect(hub, { id: 'alice' }), connect(hub, { id: 'bob' })];
    for (const client of [alice, bob]) await hub.subscribe(client, 'room:a', {});
    const remote = (type: string) => receiver!.onPublication('room:a', Buffer.from(encodeMessage({ type, channel: 'room:a' })));
    remote('leave');
    remote('news');
    await settle();
    const policies = alice.frames.map(({ text, origin }) => [(JSON.parse(text) as { type: string }).type, origin?.policy]);
    expect(policies).toEqual([
      ['subscribed', undefined],
      ['join', 'disconnect'],
      ['leave', 'disconnect'],
      ['news', 'latest'],
    ]);
    await hub.shutdown();
  });
});
