export { RealtimeModule } from './realtime.module';
export type {
  AuthOptions,
  ChannelOptions,
  Duration,
  HeartbeatOptions,
  HistoryOptions,
  LimitOptions,
  PresenceOptions,
  RealtimeModuleOptions,
  RealtimeOptionsFactory,
  RecoveryOptions,
  ShutdownOptions,
  SlowConsumerOptions,
  SseOptions,
} from './realtime.options';
export { DuplicateModuleError, MissingOptionsError } from './realtime.errors';
export { RealtimeOptionsError } from './realtime.options-reader';

export { CloseCode, isFinalCloseCode } from './protocol/close-codes';
export { ErrorCode, type ErrorData, RealtimeError } from './protocol/errors';
export { ChannelPatternError, type ChannelParams } from './protocol/channel-pattern';
export type { ConnectedUser as RealtimeUser } from './protocol/connected-user';

export { HubService, type HubTarget } from './hub/hub.service';
export { BroadcastSender } from './hub/broadcast-sender';
export { ProcessOutputService } from './hub/process-output.service';
export type { PublishOptions, PublishResult } from './hub/publish.types';
export type { HistoryEntry, HistoryPage, HistoryRequest } from './hub/channel-history';
export type { PresenceSnapshot } from './hub/presence';
export type { ChannelInfo, ClusterStats, ConnectionInfo, HubStats, InstanceCounts, InstanceStats } from './hub/hub-stats';
export type { HubState, HubStatus } from './hub/hub-status';
export type { DisconnectEvent } from './hub/hub-hooks';
export { Connection } from './hub/connection';
export { Handshake } from './hub/handshake';
export { Frame, type SlowConsumerPolicy } from './hub/frame';
export type { Subscriber } from './hub/subscriber';
export {
  ConnectionIdTakenError,
  HubClosedError,
  InvalidChannelError,
  InvalidHistoryLimitError,
  InvalidTypeError,
  ReservedTypeError,
  SerializationError,
  SubscriptionLimitError,
  UndeclaredChannelError,
} from './hub/hub.errors';
export { DuplicatePatternError } from './hub/pattern-router';

export {
  OnConnect,
  OnDisconnect,
  OnHandshake,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  SubscribeChannel,
  type SubscribeChannelOptions,
} from './channels/decorators';
export { Channel, ChannelParam, ConnectedClient, ConnectedUser, HandshakeQuery } from './channels/param-decorators';
export { isRealtimeContext, RealtimeContext, realtimeContext } from './channels/handler-context';
export { type ValidationDetail, ValidationFailedError } from './channels/validation';
export { DuplicateMessageTypeError, ReservedMessageTypeError } from './channels/handler-registry';
export { UnresolvableEnhancerError } from './channels/host-module';

export {
  anyOf,
  apiKeys,
  AuthenticationError,
  AuthenticationService,
  AuthenticationUnavailableError,
  type Authenticator,
  type AuthenticatorAnswer,
  type AuthenticatorFunction,
  AuthenticatorOptionsError,
  type AuthenticatorSetting,
  type AuthResult,
  bearerToken,
  BearerTokenGuard,
  type Credentials,
  InvalidAuthenticatorError,
  InvalidCredentialsError,
  jwt,
  type JwtOptions,
  MalformedCredentialsError,
  MissingAuthenticatorError,
  MissingCredentialsError,
  MissingJoseError,
  queryToken,
  QueryTokenGuard,
  TokenGuard,
  type TokenSource,
  type TokenValidator,
  type UserLike,
} from './auth';

export { RealtimeWsAdapter } from './transports/ws/realtime-ws-adapter';
export { MissingAdapterError, PathConflictError } from './transports/ws/ws-adapter-slot';
export { type GuardOption, UnresolvableGuardError } from './transports/ws/guard-resolver';
export type { OriginOption } from './transports/ws/origin-policy';

export type { AnyChannels, ChannelDeclaration, MessagesOf } from './protocol/channel-declarations';

export type * from './adapter/hub-adapter';
/** Of adapters: `HistoryPage` is what `hub.history()` gives. */
export type { HistoryPage as AdapterHistoryPage } from './adapter/hub-adapter';
export type { Position } from './protocol/cursor';
export type { AdapterContext, AdapterFactory } from './adapter/adapter-factory';
export { memoryAdapter, type MemoryAdapterOptions } from './adapter/memory/memory-adapter.factory';
export { redisAdapter } from './adapter/redis/redis-adapter.factory';
export type {
  RedisAdapterOptions,
  RedisClusterOptions,
  RedisConnectionOptions,
  RedisSentinelOptions,
} from './adapter/redis/redis-adapter.options';
export type { CustomRedisNaming, RedisNaming } from './adapter/redis/redis-names';
export {
  MissingIoredisError,
  RedisAdapterOptionsError,
  RedisUnreachableError,
} from './adapter/redis/redis-adapter.errors';
export { type AdapterOutcome, AdapterUnavailableError, HubBusyError, OversizedPublicationError } from './adapter/adapter.errors';

export type { ChannelSource, SourceContext, SourceFactory } from './sources/channel-source';
export { redisStreamSource } from './sources/redis-stream/redis-stream.source';
export type { RedisStreamSourceOptions, StreamEntry, StreamPublication } from './sources/redis-stream/redis-stream.options';
export { SourceChannelError, StreamSourceOptionsError, StreamSourceUnreachableError } from './sources/sources.errors';
