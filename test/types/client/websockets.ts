/** WebSocket classes that the option must take. Nothing here is run. */
import { WebSocket as WsWebSocket } from 'ws';
import { RealtimeClient, sseTransport } from '../../../lib/client';
import { RealtimeClient as CoreClient } from '../../../lib/client/core';

export function theClassOfWs(): RealtimeClient {
  return new RealtimeClient('wss://example.test/ws', { WebSocket: WsWebSocket });
}

export function theClassOfThePlatform(): RealtimeClient {
  return new RealtimeClient('wss://example.test/ws', { WebSocket });
}

export function noOtherClass(): RealtimeClient {
  // @ts-expect-error a Map is no WebSocket
  return new RealtimeClient('wss://example.test/ws', { WebSocket: Map });
}

export function transportsByNameAndByObject(): unknown[] {
  return [
    new RealtimeClient('wss://example.test/ws', { transports: ['websocket', 'sse'] }),
    new RealtimeClient('wss://example.test/ws', { transports: ['websocket', sseTransport] }),
    new CoreClient('wss://example.test/ws', { transports: ['websocket', sseTransport] }),
    // @ts-expect-error the light client knows SSE by its object only
    new CoreClient('wss://example.test/ws', { transports: ['websocket', 'sse'] }),
  ];
}

export function aStorageOfTheBrowser(sessionStorage: {
  readonly length: number;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}): RealtimeClient {
  return new RealtimeClient('wss://example.test/ws', { storage: sessionStorage });
}
