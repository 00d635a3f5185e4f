import { Logger } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A real request object of Node, as its parser would have filled it. */
export function requestWith(headers: Record<string, string> = {}, url = '/ws'): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.url = url;
  request.headers = headers;
  return request;
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

export function subprotocol(token: string): Record<string, string> {
  return { 'sec-websocket-protocol': `realtime.v1, bearer.${Buffer.from(token).toString('base64url')}` };
}

/** Replaces Nest's log by a list of lines. */
export function recordLogs(): string[] {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (...parts: unknown[]): void => {
      lines.push(`${level} ${parts.map(String).join(' ')}`);
    };
  Logger.overrideLogger({
    log: record('log'),
    error: record('error'),
    warn: record('warn'),
    debug: record('debug'),
  });
  return lines;
}
