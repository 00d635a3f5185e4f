import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  BadRequestException,
  HttpException,
  InternalServerErrorException,
  MethodNotAllowedException,
  ServiceUnavailableException,
} from '@nestjs/common';

/** Seconds after which a client refused with 503 may try again. */
const RETRY_AFTER_SECONDS = 2;
/** What `ws` speaks. A client of another version is told (RFC 6455, section 4.4). */
const WEBSOCKET_VERSIONS = '13, 8';

/** The server cannot take a connection now, and says when to try again. */
export class UpgradeUnavailableException extends ServiceUnavailableException {}

/** What is thrown on the way to an upgrade, as an answer: an `HttpException` as it is, anything else as a bare 500. */
export function toHttpException(error: unknown): HttpException {
  return error instanceof HttpException ? error : new InternalServerErrorException();
}

/** Answers an upgrade request with an ordinary HTTP response that carries Nest's JSON error body, and ends the socket. */
export function refuseUpgrade(socket: Duplex, exception: HttpException, headers: readonly string[] = []): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = exception.getStatus();
  const body = JSON.stringify(bodyOf(exception));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...extraHeaders(status),
    ...headers,
  ];
  // Destroyed once sent: a client that keeps its half open must not hold the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers a request that is no WebSocket handshake, or one of another version. */
export function refuseHandshake(socket: Duplex, method: string | undefined, problem: string): void {
  if (method !== 'GET') refuseUpgrade(socket, new MethodNotAllowedException(problem), ['Allow: GET']);
  else refuseUpgrade(socket, new BadRequestException(problem), [`Sec-WebSocket-Version: ${WEBSOCKET_VERSIONS}`]);
}

function bodyOf(exception: HttpException): unknown {
  const response = exception.getResponse();
  return typeof response === 'string' ? { statusCode: exception.getStatus(), message: response } : response;
}

function extraHeaders(status: number): string[] {
  if (status === 401) return ['WWW-Authenticate: Bearer'];
  return status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : [];
}
