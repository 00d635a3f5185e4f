import { connect, createServer, type Server, type Socket } from 'node:net';

/** Which way bytes go. */
export type Direction = 'toServer' | 'toClient';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between a client and a server on this machine, and lets a test cut, hold up or lose what passes. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly swallowed = new Set<Direction>();
  private refusing = false;
  private delay = 0;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {}

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on('connection', (client) => proxy.onConnection(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.links.size;
  }

  /** Loses what goes one way, on connections of now and later, while they stay open. */
  swallow(direction: Direction): void {
    this.swallowed.add(direction);
  }

  /** Lets everything through again. What was lost stays lost. */
  heal(): void {
    this.swallowed.clear();
    this.refusing = false;
    this.delay = 0;
  }

  /** New connections go to another server from now on. */
  retarget(port: number): void {
    this.target = port;
  }

  /** Holds everything up by so many ms. */
  slow(delay: number): void {
    this.delay = delay;
  }

  /** Ends every connection, or those that `which` picks by number; `refuse`: and new ones at once. */
  cut({ refuse = false, which = (_index: number): boolean => true } = {}): void {
    this.refusing = refuse;
    for (const { client, server } of [...this.links].filter((_link, index) => which(index))) {
      client.destroy();
      server.destroy();
    }
  }

  async stop(): Promise<void> {
    this.cut({ refuse: true });
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onConnection(client: Socket): void {
    this.accepted++;
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    const link = { client, server };
    this.links.add(link);
    this.pass(client, server, 'toServer', link);
    this.pass(server, client, 'toClient', link);
  }

  private pass(from: Socket, to: Socket, direction: Direction, link: Link): void {
    from.on('data', (bytes: Buffer) => {
      if (this.swallowed.has(direction)) return;
      if (this.delay === 0) to.write(bytes);
      else setTimeout(() => to.destroyed || to.write(bytes), this.delay);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      to.destroy();
      this.links.delete(link);
    });
  }
}
