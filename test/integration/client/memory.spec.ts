import { Injectable } from '@nestjs/common';
import { ConnectedClient, Connection, OnMessage, SubscribeChannel } from 'nestjs-realtime';
import { ChildApp } from '../../support/child-app';
import { testApps } from '../../support/test-apps';

const startApp = testApps();

@Injectable()
class Rooms {
  cuts = 0;

  @SubscribeChannel('room:{name}')
  say(): string {
    return 'heard';
  }

  @OnMessage('cut')
  cut(@ConnectedClient() client: Connection): void {
    this.cuts++;
    client.close(4013, 'again');
  }
}

interface Account {
  resources: string[];
  heap: number;
}

it('leaves nothing behind after 1,000 reconnections, and lets the process end when it is closed', async () => {
  const { url, app } = await startApp({
    providers: [Rooms],
    realtime: { channels: { 'room:{name}': { history: { size: 10, ttl: '1h' } } } },
  });
  const child = ChildApp.start('reconnecting-client', `${url}/ws`);
  // By itself: a timer or a socket that was left would keep it alive.
  expect(await child.ended).toEqual({ code: 0, signal: null });
  const report = JSON.parse(child.output) as { before: Account; after: Account; received: number };
  expect(app.get(Rooms).cuts).toBe(1500);
  expect(report.received).toBe(1);
  expect(report.after.resources).toEqual(report.before.resources);
  // A kilobyte for each reconnection would be a megabyte.
  expect(report.after.heap - report.before.heap).toBeLessThan(700_000);
}, 60_000);
