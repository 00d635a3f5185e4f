import type { AnyChannels, AnyRequests } from '../protocol/channel-declarations';
import type { RealtimeClientOptions } from './client.options';
import { RealtimeClient as CoreClient } from './realtime-client';
import { sseTransport } from './sse.transport';

export * from './core';

/**
 * {@inheritDoc CoreClient}
 *
 * Knows both transports by name. An application that never falls back to SSE can import the client from
 * `nestjs-realtime/client/core` instead and save its part.
 *
 * @publicApi
 */
export class RealtimeClient<
  Channels extends object = AnyChannels,
  Requests extends object = AnyRequests,
> extends CoreClient<Channels, Requests> {
  constructor(url: string, options: RealtimeClientOptions<'websocket' | 'sse'> = {}) {
    const transports = options.transports?.map((transport) => (transport === 'sse' ? sseTransport : transport));
    super(url, { ...options, transports });
  }
}
