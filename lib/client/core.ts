/** The client without its fall-back transport: pass `sseTransport` in `transports` to have it bundled. */
export type { Channel } from './channel';
export type * from '../protocol/channel-declarations';
export type * from './channel.types';
export { ClientLimitError, ClosedError, ConnectionError, UnansweredError } from './client.errors';
export type { OfflineQueueOptions, RealtimeClientOptions } from './client.options';
export type { ClientEvents } from './client.events';
export type * from './connection-state';
export type { Frame, FrameCodec, OutgoingFrame } from './frame';
export type { EnvironmentEvent, Platform } from './platform';
export type { PositionStorage } from './positions';
export { RealtimeClient, type RequestOptions } from './realtime-client';
export { sseTransport } from './sse.transport';
export type { TokenSource } from './token-source';
export type {
  Link,
  LinkClose,
  LinkHandlers,
  LinkRequest,
  TokenTransport,
  Transport,
  WebSocketConstructor,
  WebSocketLike,
} from './transport';
export type { Heartbeat } from './watchdog';
export { RealtimeError, type ErrorCode } from '../protocol/errors';
