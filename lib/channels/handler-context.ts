import type { ExecutionContext } from '@nestjs/common';
import type { ChannelParams } from '../protocol/channel-pattern';
import type { DisconnectEvent } from '../hub/hub-hooks';
import type { ConnectedUser } from '../protocol/connected-user';

/**
 * What a handler is called about. In a guard, interceptor or filter: `realtimeContext(context)`.
 *
 * @publicApi
 */
export class RealtimeContext {
  constructor(
    /** The message's type; `subscribe`, `unsubscribe`, `connect` or `disconnect` for the hooks. */
    readonly type: string,
    readonly channel: string | undefined,
    readonly params: ChannelParams,
    /** On `@OnDisconnect`: how the connection ended. */
    readonly disconnect?: DisconnectEvent,
    /** On `@OnHandshake`: who the guards found; the connection will have the same. */
    readonly user?: ConnectedUser,
  ) {}
}

/**
 * The arguments behind a handler's `ExecutionContext`: client and data where Nest's own WebSocket contexts have them,
 * the pattern last, as `switchToWs().getPattern()` expects.
 */
export type HandlerArguments = readonly [client: unknown, data: unknown, context: RealtimeContext, pattern: string];

/**
 * Whether an execution context belongs to one of this module's handlers. For global guards, interceptors and filters
 * that must tell them from other gateways and from HTTP.
 *
 * @example if (isRealtimeContext(context)) return next.handle();
 * @publicApi
 */
export function isRealtimeContext(context: Pick<ExecutionContext, 'getArgByIndex'>): boolean {
  return context.getArgByIndex(2) instanceof RealtimeContext;
}

/** What the handler is called about; undefined outside this module's handlers. @publicApi */
export function realtimeContext(context: Pick<ExecutionContext, 'getArgByIndex'>): RealtimeContext | undefined {
  const value: unknown = context.getArgByIndex(2);
  return value instanceof RealtimeContext ? value : undefined;
}
