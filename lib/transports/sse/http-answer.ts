import type { ServerResponse } from 'node:http';
import { HttpException, InternalServerErrorException } from '@nestjs/common';
import { CloseCode } from '../../protocol/close-codes';
import { refusalOf, UpgradeUnavailableException } from '../ws/http-refusal';

/** Refuses a request for a stream with Nest's JSON error body. */
export function answerRefusal(response: ServerResponse, exception: HttpException, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const { status, headers: fixed, body } = refusalOf(exception);
  response.writeHead(status, {
    ...fixed,
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** A connection that is closed before its stream has begun is refused, so that a browser does not try for ever. */
export function refusalFor(code: number, reason: string): HttpException {
  switch (code) {
    case CloseCode.Unauthorized:
    case CloseCode.TokenExpired:
      return new HttpException({ statusCode: 401, message: reason || 'Unauthorized', error: 'Unauthorized' }, 401);
    case CloseCode.ServerError:
      return new InternalServerErrorException();
    case CloseCode.GoingAway:
    case CloseCode.SlowConsumer:
    case CloseCode.Overloaded:
    case CloseCode.StateLost:
      return new UpgradeUnavailableException(reason);
    default:
      return new HttpException({ statusCode: 403, message: reason || 'Forbidden', error: 'Forbidden' }, 403);
  }
}
