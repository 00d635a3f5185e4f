import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type INestApplicationContext, NotFoundException } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocketServer } from 'ws';
import { refuseUpgrade } from './http-refusal';
import { asksForWebSocket, serveWithoutUpgrade } from './other-protocols';
import type { RealtimeGateway } from './realtime.gateway';
import { UnclaimedUpgrades } from './unclaimed-upgrades';
import { PathConflictError, WsAdapterSlot } from './ws-adapter-slot';

/** The port by which Nest means the application's own HTTP server. */
const APPLICATION_PORT = 0;

/**
 * Nest's `WsAdapter` with this module's gate in front: it owns the `upgrade` event of the application's HTTP server.
 * Upgrades at the module's path go through the gate; those for other gateways (`@WebSocketGateway`), whose paths may lie
 * below it, go where the stock adapter sends them; listeners of other libraries on the same server keep their own. What
 * nobody wants is answered with 404. A request to upgrade to another protocol is an ordinary one.
 *
 * @example
 * const app = await NestFactory.create(AppModule);
 * app.useWebSocketAdapter(new RealtimeWsAdapter(app));
 *
 * @publicApi
 */
export class RealtimeWsAdapter extends WsAdapter {
  private gateway: RealtimeGateway | undefined;
  private server: Server | undefined;
  private readonly unclaimed = new UnclaimedUpgrades((socket, request) => refuseUnknownPath(socket, request));

  constructor(app: INestApplicationContext, options?: ConstructorParameters<typeof WsAdapter>[1]) {
    super(app, options);
    slotOf(app)?.fill(this);
  }

  /**
   * Called by the module when the application starts.
   *
   * @throws PathConflictError
   * @internal
   */
  serve(gateway: RealtimeGateway, server: Server): void {
    if (this.findOtherGateway(gateway.path)) throw new PathConflictError(gateway.path);
    this.gateway = gateway;
    this.listen(server);
  }

  protected override ensureHttpServerExists(port: number, httpServer?: Server): ReturnType<WsAdapter['ensureHttpServerExists']> {
    if (port !== APPLICATION_PORT || !httpServer) return super.ensureHttpServerExists(port, httpServer);
    if (this.httpServersRegistry.has(port)) return undefined;
    this.httpServersRegistry.set(port, httpServer);
    this.listen(httpServer);
    return httpServer;
  }

  override async dispose(): Promise<void> {
    this.server?.off('upgrade', this.onUpgrade);
    this.server = undefined;
    this.unclaimed.refuseAll();
    await super.dispose();
  }

  private listen(server: Server): void {
    if (this.server) return;
    this.server = server;
    server.on('upgrade', this.onUpgrade);
  }

  private readonly onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const url = request.url ?? '';
    const path = this.gateway?.match(url);
    const isAlone = this.server!.listenerCount('upgrade') === 1;
    if ((path || isAlone) && !asksForWebSocket(request)) {
      serveWithoutUpgrade(this.server!, request, socket, head);
      return;
    }
    const other = path && path.room === undefined ? undefined : this.findOtherGateway(url);
    if (other) {
      other.handleUpgrade(request, socket, head, (webSocket) => other.emit('connection', webSocket, request));
    } else if (path) {
      void this.gateway!.upgrade(request, path, socket, head);
    } else if (isAlone) {
      refuseUnknownPath(socket, request);
    } else {
      // Another library's listener gets the same event and may want it.
      this.unclaimed.add(socket, request, this.gateway?.handshakeTimeout);
    }
  };

  private findOtherGateway(url: string): WebSocketServer | undefined {
    const pathname = pathnameOf(url);
    const servers = (this.wsServersRegistry.get(APPLICATION_PORT) ?? []) as (WebSocketServer & { path: string })[];
    return servers.find((server) => server.path === pathname);
  }
}

function refuseUnknownPath(socket: Socket, { url = '' }: IncomingMessage): void {
  refuseUpgrade(socket, new NotFoundException(`Cannot GET ${pathnameOf(url)}`));
}

function pathnameOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/**
 * Without the module in the application this is the stock adapter. It is looked for and not asked for: an application that
 * `NestFactory` made ends the process when its `get()` finds nothing.
 */
function slotOf(app: INestApplicationContext): WsAdapterSlot | undefined {
  const modules = [...app.get(ModulesContainer).values()];
  const provider = modules.map(({ providers }) => providers.get(WsAdapterSlot)).find((found) => found !== undefined);
  return provider?.instance as WsAdapterSlot | undefined;
}
