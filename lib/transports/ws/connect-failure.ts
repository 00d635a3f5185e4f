import { HttpException } from '@nestjs/common';
import { CloseCode } from '../../protocol/close-codes';
import { ErrorCode, RealtimeError } from '../../protocol/errors';

/** How a connection is closed that a connect handler would not have. */
export interface ConnectFailure {
  readonly code: CloseCode;
  readonly reason: string;
  /** Whether it is a fault, to be logged, rather than a refusal. */
  readonly unexpected: boolean;
}

export function closeCodeFor(error: unknown): ConnectFailure {
  if (isUnauthorized(error)) return { code: CloseCode.Unauthorized, reason: 'unauthorized', unexpected: false };
  if (isRefusal(error)) return { code: CloseCode.Forbidden, reason: 'forbidden', unexpected: false };
  return { code: CloseCode.ServerError, reason: 'server error', unexpected: true };
}

function isUnauthorized(error: unknown): boolean {
  if (error instanceof HttpException) return error.getStatus() === 401;
  return error instanceof RealtimeError && error.code === ErrorCode.Unauthorized;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof HttpException) return error.getStatus() < 500;
  return error instanceof RealtimeError && error.code !== ErrorCode.Internal && error.code !== ErrorCode.Unavailable;
}
