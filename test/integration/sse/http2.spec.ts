import type { AddressInfo } from 'node:net';
import { connect } from 'node:http2';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { HubService, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';
import { waitFor } from '../../support/wait-for';

describe('an event stream over HTTP/2', () => {
  it('begins, carries publications and ends as over HTTP/1.1, without the headers that HTTP/2 forbids', async () => {
    const module = await Test.createTestingModule({ imports: [RealtimeModule.forRoot({ isGlobal: true, channels: { a: {} } })] }).compile();
    const app = module.createNestApplication(new FastifyAdapter({ http2: true }));
    app.useWebSocketAdapter(new RealtimeWsAdapter(app));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/ws/events?channel=a' });
    let text = '';
    let headers: Record<string, unknown> = {};
    stream.on('response', (got) => (headers = got));
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await waitFor('the subscription', () => text.includes('"subscribed"'));
    const hub = app.get(HubService);
    for (let n = 1; n <= 50; n++) await hub.publish('a', n, { type: 'n' });
    await waitFor('the publications', () => text.includes('"data":50'));
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream' });
    expect(headers).not.toHaveProperty('connection');
    await hub.disconnect({ connectionId: hub.connections()[0]!.id });
    await waitFor('the end', () => stream.closed);
    expect(text).toContain('"disconnected"');
    session.close();
    await app.close();
  });
});
