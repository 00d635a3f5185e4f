import { Controller, Get } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { apiKeys, BearerTokenGuard, HubService, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';
import { Certificate } from '../../support/certificate';
import { PLATFORMS } from '../../support/create-app';
import { refusal, TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Controller()
class Routes {
  @Get('route')
  get(): string {
    return 'an ordinary answer';
  }
}

describe.each(PLATFORMS)('an application with TLS of its own, over %s', (platform) => {
  let certificate: Certificate;
  let close: () => Promise<void>;
  let hub: HubService;
  let port: number;

  beforeEach(async () => {
    certificate = await Certificate.create();
    const https = { key: await readFile(certificate.keyFile), cert: await readFile(certificate.file) };
    const realtime = RealtimeModule.forRoot({
      isGlobal: true,
      channels: { news: {} },
      guards: [BearerTokenGuard],
      auth: { authenticator: apiKeys({ key: 'alice' }) },
    });
    const module = await Test.createTestingModule({ imports: [realtime], controllers: [Routes] }).compile();
    const app =
      platform === 'fastify'
        ? module.createNestApplication(new FastifyAdapter({ https }))
        : module.createNestApplication({ httpsOptions: https });
    app.useWebSocketAdapter(new RealtimeWsAdapter(app));
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
    hub = app.get(HubService);
    close = () => app.close();
  });
  afterEach(async () => {
    await close();
    await certificate.stop();
  });

  it('takes clients over wss, from its own origin, in both directions and with large frames', async () => {
    const url = `wss://127.0.0.1:${port}/ws`;
    const ca = certificate.pem;
    expect((await refusal(url, { ca })).status).toBe(401);
    const headers = { authorization: 'Bearer key', origin: `https://127.0.0.1:${port}` };
    const client = await TestClient.connect(url, { ca, headers });
    await client.subscribe('news');
    const text = 'ä'.repeat(100_000);
    await hub.publish('news', text);
    expect(await client.next('message')).toMatchObject({ channel: 'news', data: text });
    expect(hub.connections()).toMatchObject([{ user: 'alice', remoteAddress: '127.0.0.1' }]);
    await client.close();
    await waitFor('the end of the connection', () => hub.stats().clients === 0);
  });

  it('answers a request to upgrade to another protocol as an ordinary one', async () => {
    const socket = connect({ host: '127.0.0.1', port, ca: certificate.pem });
    await once(socket, 'secureConnect');
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.write('GET /route HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await waitFor('the answer', () => received.includes('an ordinary answer'));
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});
