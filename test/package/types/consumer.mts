// The same package from an ES module.
import type { INestApplication } from '@nestjs/common';
import { CloseCode, HubService, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';

export const realtime = RealtimeModule.forRoot({ path: '/ws', channels: { '*': {} } });

export async function greet(app: INestApplication): Promise<'cluster' | 'local'> {
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  const { delivered } = await app.get(HubService).publish('room:lobby', { text: 'hello' });
  return delivered;
}

export const final: number = CloseCode.Forbidden;
