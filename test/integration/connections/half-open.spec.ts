import { Injectable } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { type DisconnectEvent, OnDisconnect, type RealtimeModuleOptions } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { RawWebSocket } from '../../support/raw-websocket';
import { TcpProxy } from '../../support/tcp-proxy';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Injectable()
class Ends {
  readonly codes: number[] = [];

  @OnDisconnect()
  disconnect(@MessageBody() { code }: DisconnectEvent): void {
    this.codes.push(code);
  }
}

const realtime: RealtimeModuleOptions = { channels: { '*': { presence: { gracePeriod: 0 } } }, heartbeat: { interval: 100, timeout: 1000 } };

describe.each(PLATFORMS)('a half-open socket, over %s', (platform) => {
  const createApp = testApps(platform);

  it('of a client whose network died without a word is ended with 4001, and nobody is left in its channels', async () => {
    const app = await createApp({ providers: [Ends], realtime });
    const proxy = await TcpProxy.start(app.port);
    const client = await TestClient.connect(`ws://127.0.0.1:${proxy.port}/ws`);
    await client.subscribe('a');
    proxy.swallow('toServer');
    proxy.swallow('toClient');
    await waitFor('the end', () => app.app.get(Ends).codes.length > 0);
    expect(app.app.get(Ends).codes).toEqual([4001]);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
    await waitFor('an empty presence', async () => (await app.hub.presence('a')).count === 0);
    client.socket.terminate();
    await proxy.stop();
  });

  it('of a client that closes its half without a close frame is ended at once, as lost', async () => {
    const app = await createApp({ providers: [Ends], realtime: { ...realtime, heartbeat: {} } });
    const client = await RawWebSocket.open(app.port);
    client.send({ type: 'subscribe', channel: 'a' });
    await client.message('subscribed');
    client.raw.socket.end();
    await client.raw.closed;
    await waitFor('the end', () => app.app.get(Ends).codes.length > 0);
    expect(app.app.get(Ends).codes).toEqual([1006]);
    expect(app.hub.stats()).toMatchObject({ clients: 0, channels: 0, subscribers: 0 });
  });
});
