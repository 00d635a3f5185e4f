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
  return error instanceof HttpException && isAnswerable(error) ? error : new InternalServerErrorException();
}

/** A status under 300 would look like success, and not everything has a JSON form. */
function isAnswerable(exception: HttpException): boolean {
  const status = exception.getStatus();
  return Number.isInteger(status) && status >= 300 && status <= 599 && encodeBody(exception) !== undefined;
}

/** A refusal, in whatever form it is sent. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Nest's JSON error body. */
  readonly body: string;
}

export function refusalOf(exception: HttpException): Refusal {
  const status = exception.getStatus();
  return { status, headers: extraHeaders(status), body: encodeBody(exception) ?? '' };
}

/** Answers an upgrade request with an ordinary HTTP response that carries Nest's JSON error body, and ends the socket. */
export function refuseUpgrade(socket: Duplex, exception: HttpException, headers: readonly string[] = []): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers: fixed, body } = refusalOf(exception);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(fixed).map(([name, value]) => `${name}: ${value}`),
    ...headers,
  ];
  // The client may be gone already; without a listener that would be an uncaught exception.
  socket.on('error', () => socket.destroy());
  // Destroyed once sent: a client that keeps its half open must not hold the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers a request that is no WebSocket handshake, or one of another version. */
export function refuseHandshake(socket: Duplex, method: string | undefined, problem: string): void {
  if (method !== 'GET') refuseUpgrade(socket, new MethodNotAllowedException(problem), ['Allow: GET']);
  else refuseUpgrade(socket, new BadRequestException(problem), [`Sec-WebSocket-Version: ${WEBSOCKET_VERSIONS}`]);
}

function encodeBody(exception: HttpException): string | undefined {
  const response = exception.getResponse();
  try {
    return JSON.stringify(typeof response === 'string' ? { statusCode: exception.getStatus(), message: response } : response);
  } catch {
    return undefined;
  }
}

function extraHeaders(status: number): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' };
  return status === 503 ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {};
}
