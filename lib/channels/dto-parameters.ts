import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { WsParamtype } from '@nestjs/websockets/enums/ws-paramtype.enum';
import { readHandshakeQuery } from './param-decorators';

/** A parameter that takes what a client sent, and so is validated against its declared class. */
export interface DtoParameter {
  readonly index: number;
  /** The declared class. */
  readonly metatype: unknown;
}

/** What Nest's parameter decorators leave behind, one entry a parameter. */
interface ParameterMetadata {
  readonly index: number;
  readonly factory?: unknown;
}

/** Finds the `@MessageBody()` and `@HandshakeQuery()` parameters of a method. */
export function findDtoParameters(owner: object, methodName: string): DtoParameter[] {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, owner.constructor, methodName) ?? {}) as Record<
    string,
    ParameterMetadata
  >;
  const types = (Reflect.getMetadata('design:paramtypes', owner, methodName) ?? []) as unknown[];
  return Object.entries(metadata)
    .filter(([key, { index, factory }]) => factory === readHandshakeQuery || key === `${WsParamtype.PAYLOAD}:${index}`)
    .map(([, { index }]) => ({ index, metatype: types[index] }));
}
