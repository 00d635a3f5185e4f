import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from './wait-for';

/** An HTTP answer as it came over the socket. */
export interface RawResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const WEBSOCKET_HEADERS: Readonly<Record<string, string>> = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** A bare TCP client, for requests that no WebSocket client makes and for going away in the middle of one. */
export class RawSocket {
  /** Everything that was received. */
  received = Buffer.alloc(0);
  /** Resolves when the server has ended or cut the connection. */
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async open(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1' });
    const raw = new RawSocket(socket);
    await once(socket, 'connect');
    return raw;
  }

  /** Sends an upgrade request. A header that is set to undefined is left out. */
  upgrade(path: string, headers: Record<string, string | undefined> = {}, method = 'GET'): void {
    const lines = Object.entries({ Host: 'localhost', ...WEBSOCKET_HEADERS, ...headers })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  /** Waits for the answer, with as much of a body as it announces. */
  response(): Promise<RawResponse> {
    return waitFor('an HTTP answer', () => parse(this.received));
  }

  /** Vanishes without a goodbye, as a process that was killed. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** Sends one upgrade request and resolves with the answer to it. */
export async function rawUpgrade(
  port: number,
  path: string,
  headers: Record<string, string | undefined> = {},
  method = 'GET',
): Promise<RawResponse> {
  const raw = await RawSocket.open(port);
  raw.upgrade(path, headers, method);
  const response = await raw.response();
  raw.socket.destroy();
  return response;
}

function parse(received: Buffer): RawResponse | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = received.subarray(end + 4);
  if (body.length < Number(headers['content-length'] ?? 0)) return undefined;
  return { status: Number(statusLine.split(' ')[1]), headers, body: body.toString('utf8') };
}
