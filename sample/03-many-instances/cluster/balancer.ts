import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { InstanceProcess } from './instance-process';
import type { Instances } from './instances';

/** Answers a request itself. @returns false when it is not its business */
export type OwnRoute = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Gives each request and each WebSocket to the next instance in turn. No sessions that stick: a client that comes back
 * may land anywhere. The next one is tried when an instance does not take the connection.
 */
export class Balancer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly instances: Instances,
    ownRoute: OwnRoute,
  ) {
    this.server = createServer((request, response) => {
      if (!ownRoute(request, response)) this.forward(request, response, this.instances.inTurn('request'));
    });
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.keep(socket);
      this.tunnel(request, socket, head, this.instances.inTurn('socket'));
    });
  }

  listen(port: number, host: string | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => resolve((this.server.address() as { port: number }).port));
    });
  }

  /** Takes nothing more; what is open stays open. */
  close(): void {
    this.server.close();
  }

  /** Ends what is still open. */
  cutOff(): void {
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
  }

  private forward(request: IncomingMessage, response: ServerResponse, [instance, ...others]: InstanceProcess[]): void {
    if (instance === undefined) {
      response.writeHead(503, { 'retry-after': '1' }).end('No instance is up.');
      return;
    }
    const { method, url: path, headers } = request;
    const outgoing = httpRequest({ host: '127.0.0.1', port: instance.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    });
    outgoing.once('error', () => {
      // A body that was read cannot be sent a second time.
      if (response.headersSent || !['GET', 'HEAD'].includes(method ?? '')) response.destroy();
      else this.forward(request, response, others);
    });
    response.once('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }

  private tunnel(request: IncomingMessage, socket: Socket, head: Buffer, [instance, ...others]: InstanceProcess[]): void {
    if (instance === undefined) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect(instance.port, '127.0.0.1');
    const next = (): void => this.tunnel(request, socket, head, others);
    upstream.once('error', next);
    upstream.once('connect', () => {
      upstream.off('error', next);
      upstream.write(requestHead(request));
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
      for (const [one, other] of [[socket, upstream], [upstream, socket]] as const) {
        one.on('error', () => other.destroy());
        one.once('close', () => other.destroy());
      }
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.sockets.delete(socket));
  }
}

/** As it came in. `Host` stays what the browser called: the default origin policy compares it. */
function requestHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
