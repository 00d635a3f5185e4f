import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How long others may think about a request, in ms, unless the module says otherwise. */
const DEFAULT_TIMEOUT = 10_000;

interface Unclaimed {
  readonly request: IncomingMessage;
  readonly written: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Upgrades that are left to other libraries' listeners. There is no way to ask whether one of them wants a request: who
 * does writes to the socket. Where nothing has been written in time the request is refused, or its socket would stay
 * open for as long as the client likes and keep the server from closing.
 */
export class UnclaimedUpgrades {
  private readonly sockets = new Map<Socket, Unclaimed>();

  constructor(private readonly refuse: (socket: Socket, request: IncomingMessage) => void) {}

  add(socket: Socket, request: IncomingMessage, timeout = DEFAULT_TIMEOUT): void {
    // Until somebody claims the socket an error on it would be an uncaught exception.
    socket.on('error', ignore);
    socket.once('close', () => this.forget(socket));
    const timer = setTimeout(() => this.settle(socket), timeout);
    this.sockets.set(socket, { request, written: socket.bytesWritten, timer });
  }

  /** At the end: what nobody has claimed by now nobody will. */
  refuseAll(): void {
    for (const socket of this.sockets.keys()) this.settle(socket);
  }

  private settle(socket: Socket): void {
    const { request, written } = this.sockets.get(socket)!;
    this.forget(socket);
    if (socket.bytesWritten === written) this.refuse(socket, request);
  }

  private forget(socket: Socket): void {
    clearTimeout(this.sockets.get(socket)?.timer);
    this.sockets.delete(socket);
  }
}

function ignore(): void {}
