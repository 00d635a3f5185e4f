import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import type { Connection } from '../hub/connection';
import { parseQuery } from '../hub/handshake';
import { realtimeContext } from './handler-context';

type Pipe = Type<PipeTransform> | PipeTransform;
/** Spelled out, because what Nest infers for `createParamDecorator` names types that Nest 11 does not have. */
type ParameterFactory = (...pipes: Pipe[]) => ParameterDecorator;
type NamedParameterFactory = (...nameAndPipes: (string | Pipe)[]) => ParameterDecorator;

/** The connection that a handler is called for. @publicApi */
export const ConnectedClient: ParameterFactory = createParamDecorator((_: unknown, context: ExecutionContext): Connection | undefined =>
  clientOf(context),
);

/** Who is connected: `{ id, claims, expiresAt? }`, or undefined without authentication. @publicApi */
export const ConnectedUser: ParameterFactory = createParamDecorator((_: unknown, context: ExecutionContext): unknown => {
  const client = clientOf(context);
  if (client) return client.user;
  const handshake = realtimeContext(context);
  return handshake ? handshake.user : context.switchToHttp().getRequest<{ user?: unknown }>().user;
});

/** The channel's name. @publicApi */
export const Channel: ParameterFactory = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined => realtimeContext(context)?.channel,
);

/**
 * The value of a `{name}` segment of the channel's name. Takes pipes.
 *
 * @example join(\@ChannelParam('id', ParseIntPipe) id: number) {}
 * @publicApi
 */
export const ChannelParam: (name: string, ...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (name: string, context: ExecutionContext): string | undefined => realtimeContext(context)?.params[name],
);

/** Takes the handshake's query out of a context. @internal */
export function readHandshakeQuery(name: string | undefined, context: ExecutionContext): unknown {
  const client = clientOf(context);
  const query = client
    ? client.handshake.query
    : parseQuery(context.switchToHttp().getRequest<IncomingMessage>().url ?? '');
  return name === undefined ? query : query[name];
}

/**
 * The query of the handshake's URL, or one parameter of it. Takes pipes; a class-validator DTO is validated.
 *
 * @example handshake(\@HandshakeQuery() query: EventsQuery) {}
 * @publicApi
 */
export const HandshakeQuery: NamedParameterFactory = createParamDecorator(readHandshakeQuery);

/** The connection; undefined before the upgrade, where there is only the request. */
function clientOf(context: ExecutionContext): Connection | undefined {
  return context.getType() === 'ws' ? context.switchToWs().getClient<Connection>() : undefined;
}
