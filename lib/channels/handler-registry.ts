import { PatternRouter } from '../hub/pattern-router';
import type { HandlerKind } from './decorators';
import type { Handler } from './handler';

/** Two `OnMessage` handlers for one type. Stops the start. @publicApi */
export class DuplicateMessageTypeError extends Error {
  override name = 'DuplicateMessageTypeError';

  constructor(
    readonly type: string,
    readonly handlers: readonly [string, string],
  ) {
    super(`${handlers[0]} and ${handlers[1]} both have @OnMessage(${JSON.stringify(type)}). Remove one of them.`);
  }
}

/** Types that the protocol keeps for itself; an @OnMessage handler for one would never be called. */
export const RESERVED_TYPES: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'ping', 'presence', 'history', 'refresh']);

/** An `OnMessage` handler for a type of the protocol itself, which would never be called. Stops the start. @publicApi */
export class ReservedMessageTypeError extends Error {
  override name = 'ReservedMessageTypeError';

  constructor(
    readonly type: string,
    readonly handler: string,
  ) {
    super(`${handler} has @OnMessage(${JSON.stringify(type)}), but the protocol keeps that type for itself. Use another.`);
  }
}

/** All handlers of an application, by what they handle. */
export class HandlerRegistry {
  readonly subscribe = new PatternRouter<Handler>('@OnSubscribe');
  readonly unsubscribe = new PatternRouter<Handler>('@OnUnsubscribe');
  readonly publish = new PatternRouter<Handler>('@SubscribeChannel');
  readonly message = new Map<string, Handler>();
  readonly handshake: Handler[] = [];
  readonly connect: Handler[] = [];
  readonly disconnect: Handler[] = [];

  /** @throws DuplicatePatternError, DuplicateMessageTypeError, ReservedMessageTypeError, ChannelPatternError */
  add(kind: HandlerKind, handler: Handler): void {
    if (kind === 'message') return this.addMessage(handler);
    if (kind === 'handshake' || kind === 'connect' || kind === 'disconnect') {
      this[kind].push(handler);
      return;
    }
    this[kind].add(handler.pattern, handler);
  }

  private addMessage(handler: Handler): void {
    const type = handler.pattern;
    if (RESERVED_TYPES.has(type)) throw new ReservedMessageTypeError(type, handler.name);
    const existing = this.message.get(type);
    if (existing) throw new DuplicateMessageTypeError(type, [existing.name, handler.name]);
    this.message.set(type, handler);
  }
}
