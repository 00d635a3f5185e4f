import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestFrame } from '../test-client';

/** What goes on to the client in the place of a message of the server. */
export type Tamper = (frame: TestFrame) => readonly TestFrame[];

const TEXT = 0x81;

/** Stands between a WebSocket client and a server, and changes what the server says. */
export class TamperingProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    private readonly tamper: Tamper,
  ) {}

  static async start(target: number, tamper: Tamper): Promise<TamperingProxy> {
    const server = createServer();
    const proxy = new TamperingProxy(server, target, tamper);
    server.on('connection', (client) => proxy.onConnection(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onConnection(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    let pending: Buffer = Buffer.alloc(0);
    let upgraded = false;
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      if (!upgraded) {
        const end = pending.indexOf('\r\n\r\n');
        if (end === -1) return;
        client.write(pending.subarray(0, end + 4));
        pending = pending.subarray(end + 4);
        upgraded = true;
      }
      pending = this.pass(pending, client);
    });
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** @returns what is left: the beginning of a frame */
  private pass(bytes: Buffer, client: Socket): Buffer {
    let rest = bytes;
    for (;;) {
      const short = rest[1] ?? 127;
      if (short === 127) return rest;
      const start = short === 126 ? 4 : 2;
      if (rest.length < start) return rest;
      const end = start + (short === 126 ? rest.readUInt16BE(2) : short);
      if (rest.length < end) return rest;
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      if (frame[0] !== TEXT) client.write(frame);
      else for (const message of this.tamper(JSON.parse(frame.toString('utf8', start)) as TestFrame)) client.write(textFrame(message));
    }
  }
}

/** Tests' messages are short. */
function textFrame(message: TestFrame): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(payload.length < 126 ? 2 : 4);
  header[0] = TEXT;
  header[1] = payload.length < 126 ? payload.length : 126;
  if (header.length === 4) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
