import { Body, Controller, Get, Headers, Post } from '@nestjs/common';
import type { Server } from 'node:http';
import { PLATFORMS } from '../../support/create-app';
import { RawSocket, rawUpgrade } from '../../support/raw-socket';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';
import { waitFor } from '../../support/wait-for';

@Controller('route')
class Routes {
  @Get()
  get(@Headers() headers: Record<string, string>): object {
    return headers;
  }

  @Post()
  post(@Body() body: object): object {
    return { received: body };
  }
}

/** As Java's HTTP client asks with every request. */
const H2C = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAEAAEAAAAIAAAAB' };

describe.each(PLATFORMS)('an upgrade to another protocol, over %s', (platform) => {
  const start = testApps(platform);

  it('is declined: the request is answered as without it', async () => {
    const app = await start({ controllers: [Routes] });
    const answer = await rawUpgrade(app.port, '/route', { ...H2C, 'X-Other': 'kept', 'X-Empty': '' });
    expect(answer.status).toBe(200);
    const headers = JSON.parse(answer.body) as object;
    expect(headers).toMatchObject({ 'x-other': 'kept', 'x-empty': '' });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['upgrade']));
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['http2-settings']));
  });

  it('does not cost a request its body, however it arrives, nor the connection', async () => {
    const app = await start({ controllers: [Routes] });
    const client = await RawSocket.open(app.port);
    const body = JSON.stringify({ text: 'ä'.repeat(1000) });
    const length = String(Buffer.byteLength(body));
    client.upgrade('/route', { ...H2C, 'Content-Type': 'application/json', 'Content-Length': length }, 'POST');
    for (const half of [body.slice(0, 20), body.slice(20)]) {
      await new Promise((resolve) => client.socket.write(half, resolve));
    }
    const first = await client.response();
    expect(first).toMatchObject({ status: 201, body: JSON.stringify({ received: JSON.parse(body) as object }) });
    client.received = Buffer.alloc(0);
    client.upgrade('/route', H2C);
    expect(await client.response()).toMatchObject({ status: 200 });
    client.socket.destroy();
  });

  it('is answered with the 404 of an ordinary request where there is no route, at our path as well', async () => {
    const app = await start();
    for (const path of ['/nowhere', '/ws', '/ws/lobby']) {
      const answer = await rawUpgrade(app.port, path, H2C);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ statusCode: 404, message: expect.stringContaining(path) as string });
    }
    await (await TestClient.connect(`${app.url}/ws`)).close();
  });

  it('does not keep an event stream from being one', async () => {
    const app = await start({ realtime: { channels: { news: {} } } });
    const client = await RawSocket.open(app.port);
    client.upgrade('/ws/events?channel=news', H2C);
    await waitFor('the subscription', () => client.received.includes('"subscribed"'));
    await app.hub.publish('news', 'hello');
    await waitFor('the publication', () => client.received.includes('"hello"'));
    expect(client.received.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
    client.reset();
  });

  it('is left to another library that listens for upgrades on the same server', async () => {
    const app = await start({
      controllers: [Routes],
      prepare: (nest) => {
        (nest.getHttpServer() as Server).on('upgrade', (request, socket) => {
          if (request.headers.upgrade === 'tunnel') socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        });
      },
    });
    expect((await rawUpgrade(app.port, '/route', { Upgrade: 'tunnel' })).status).toBe(101);
  });
});
