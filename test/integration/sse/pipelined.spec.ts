import { PLATFORMS } from '../../support/create-app';
import { RawSocket } from '../../support/raw-socket';
import { testApps } from '../../support/test-apps';
import { waitFor } from '../../support/wait-for';

describe.each(PLATFORMS)('Requests for streams that are pipelined, over %s', (platform) => {
  const createApp = testApps(platform);
  const request = 'GET /ws/events?channel=a HTTP/1.1\r\nHost: localhost\r\n\r\n';

  it('are all gone with their connection, those whose turn did not come too', async () => {
    const { port, hub } = await createApp({ realtime: { channels: { a: {} }, slowConsumer: { writeTimeout: '10m' } } });
    const raw = await RawSocket.open(port);
    raw.socket.write(request.repeat(3));
    await waitFor('the streams', () => hub.stats().subscribers === 3 && raw.received.includes('subscribed'));
    raw.reset();
    await waitFor('nobody', () => hub.stats().clients === 0);
    expect(hub.stats()).toMatchObject({ subscribers: 0, evicted: 0 });
  });

  it('are answered when their turn comes', async () => {
    const { port, hub } = await createApp({ realtime: { channels: { a: {} } } });
    const raw = await RawSocket.open(port);
    raw.socket.write(`GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n${request}`);
    await waitFor('the stream', () => raw.received.includes('subscribed'));
    raw.reset();
    await waitFor('nobody', () => hub.stats().clients === 0);
    expect(hub.stats()).toMatchObject({ evicted: 0 });
  });
});
