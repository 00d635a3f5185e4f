import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

const WEBSOCKET = /(?:^|[,\s])websocket(?:$|[,/\s])/i;
/** Of one hop, and about an upgrade that does not take place. */
const UPGRADE_FIELDS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** Whether an upgrade is one to a WebSocket. Java's client, for one, asks each server for `h2c` with an ordinary request. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return WEBSOCKET.test(headers.upgrade ?? '');
}

/**
 * Gives a request back to its HTTP server as if it had not asked for an upgrade, which a server may always decline. With a
 * listener for upgrades Node has stopped reading the request after its head, so the head is put back, and the socket goes
 * to the server like a new connection: a body that follows is read as usual.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Socket, rest: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), rest]));
  // On an HTTPS server `connection` is where the TLS handshake begins.
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!, rawHeaders[i + 1]!];
    const field = name.toLowerCase();
    if (UPGRADE_FIELDS.has(field)) continue;
    lines.push(`${name}: ${field === 'connection' ? withoutUpgrade(value) : value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutUpgrade(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !UPGRADE_FIELDS.has(option.toLowerCase())).join(', ');
}
