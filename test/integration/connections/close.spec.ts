import { Injectable } from '@nestjs/common';
import { ConnectedClient, OnConnect } from 'nestjs-realtime';
import type { Connection } from '../../../lib/hub/connection';
import { EventStream } from '../../support/event-stream';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

@Injectable()
class Clients {
  last!: Connection;

  @OnConnect()
  connected(@ConnectedClient() client: Connection): void {
    this.last = client;
  }
}

/** What no close frame may carry, or has no room for. */
const UNSENDABLE: [string, number, string][] = [
  ['a reason of more than 123 bytes', 4000, 'ä'.repeat(62)],
  ['a code that is reserved', 1005, ''],
  ['a code of no range', 99, ''],
  ['a code that is no integer', 4000.5, ''],
];

describe('a connection that the application closes', () => {
  const start = testApps();

  it.each(UNSENDABLE)('with %s, stays as it is, and the application is told', async (_what, code, reason) => {
    const app = await start({ providers: [Clients], realtime: { channels: { news: {} } } });
    const client = await TestClient.connect(`${app.url}/ws`);
    const connection = app.app.get(Clients).last;
    expect(() => connection.close(code, reason)).toThrow(RangeError);
    expect(connection.open).toBe(true);
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
    connection.close(4000, 'x'.repeat(123));
    expect(await client.closed).toEqual({ code: 4000, reason: 'x'.repeat(123) });
    expect(app.hub.stats().clients).toBe(0);
  });

  it.each(UNSENDABLE)('with %s, stays as it is on an event stream too', async (_what, code, reason) => {
    const app = await start({ providers: [Clients], realtime: { channels: { news: {} } } });
    const stream = await EventStream.open(`http://127.0.0.1:${app.port}/ws/events?channel=news`);
    const connection = app.app.get(Clients).last;
    expect(() => connection.close(code, reason)).toThrow(RangeError);
    expect(connection.open).toBe(true);
    connection.close(4000, 'enough');
    expect(await stream.next('disconnected')).toMatchObject({ data: { code: 4000, reason: 'enough' } });
    expect(app.hub.stats().clients).toBe(0);
  });
});
