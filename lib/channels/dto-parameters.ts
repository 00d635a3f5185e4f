import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { WsParamtype } from '@nestjs/websockets/enums/ws-paramtype.enum';
import { readHandshakeQuery } from './param-decorators';

/** A parameter that takes what a client sent, and so is validated against its declared class. */
export interface DtoParameter {
  readonly index: number;
  /** The declared class. */
  readonly metatype: unknown;
  /** The value as the client sent it. */
  read(args: readonly unknown[], contextType: string): unknown;
}

/** What Nest's parameter decorators leave behind, one entry a parameter. */
interface ParameterMetadata {
  readonly index: number;
  readonly data?: unknown;
  readonly factory?: unknown;
}

/** Finds the `@MessageBody()` and `@HandshakeQuery()` parameters of a method. */
export function findDtoParameters(owner: object, methodName: string): DtoParameter[] {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, owner.constructor, methodName) ?? {}) as Record<
    string,
    ParameterMetadata
  >;
  const types = (Reflect.getMetadata('design:paramtypes', owner, methodName) ?? []) as unknown[];
  return Object.entries(metadata).flatMap(([key, { index, data, factory }]) => {
    const metatype = types[index];
    if (factory === readHandshakeQuery) return [{ index, metatype, read: queryReader(data) }];
    if (key === `${WsParamtype.PAYLOAD}:${index}`) return [{ index, metatype, read: payloadReader(data) }];
    return [];
  });
}

function payloadReader(property: unknown): DtoParameter['read'] {
  return (args) => (typeof property === 'string' ? (args[1] as Record<string, unknown> | undefined)?.[property] : args[1]);
}

function queryReader(name: unknown): DtoParameter['read'] {
  return (args, contextType) => {
    const context = new ExecutionContextHost([...args]);
    context.setType(contextType);
    return readHandshakeQuery(name as string | undefined, context);
  };
}
