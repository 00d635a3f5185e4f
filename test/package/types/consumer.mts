// The same package from an ES module.
import type { INestApplication } from '@nestjs/common';
import { type AdapterHistoryPage, CloseCode, type HubAdapter, HubService, RealtimeModule, RealtimeWsAdapter } from 'nestjs-realtime';

export const realtime = RealtimeModule.forRoot({ path: '/ws', channels: { '*': {} } });

export async function greet(app: INestApplication): Promise<'cluster' | 'local'> {
  app.useWebSocketAdapter(new RealtimeWsAdapter(app));
  const { delivered } = await app.get(HubService).publish('room:lobby', { text: 'hello' });
  return delivered;
}

export const final: number = CloseCode.Forbidden;

/** A part of an adapter of one's own: its page is not the one that `hub.history()` gives. */
export const pager: Pick<HubAdapter, 'history'> = {
  history: (): Promise<AdapterHistoryPage> =>
    Promise.resolve({ publications: [], position: { epoch: 'a', offset: 0, tag: '' }, complete: true }),
};
