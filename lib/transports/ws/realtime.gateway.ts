import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { type RawData, type Server, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { redactToken } from '../../auth';
import type { CommandDispatcher } from '../../channels/command-dispatcher';
import type { CompressionSettings } from '../../hub/compression';
import { describeError } from '../../hub/describe-error';
import { Handshake } from '../../hub/handshake';
import type { HubCore } from '../../hub/hub-core';
import { CloseCode } from '../../protocol/close-codes';
import { greetingFor } from '../greeting';
import { joinChannels } from '../join-channels';
import { closeCodeFor } from './connect-failure';
import { errorText } from './error-text';
import { Heartbeat, type HeartbeatSettings } from './heartbeat';
import { refuseHandshake, refuseUpgrade, toHttpException } from './http-refusal';
import type { Admission, UpgradeGate } from './upgrade-gate';
import { matchUpgradePath, type UpgradePath } from './upgrade-path';
import { WebSocketConnection } from './websocket-connection';

export const SUBPROTOCOL = 'realtime.v1';

/** What the gateway needs to know of the module's options. */
export interface GatewaySettings {
  readonly path: string;
  readonly maxMessageBytes: number;
  readonly heartbeat: HeartbeatSettings;
  /** Whether clients are greeted with a `connected` frame. */
  readonly welcome: boolean;
  /** permessage-deflate; undefined: off. */
  readonly compression: CompressionSettings | undefined;
}

/** Without context takeover a publication is compressed once for all clients, and a connection keeps no state for it. */
const DEFLATE = { serverNoContextTakeover: true, clientNoContextTakeover: true };

/** How long closing handshakes may take at the end, in ms; after it sockets are cut. */
const CLOSE_GRACE = 1_000;
/** The same for a single connection that is closed while the server goes on. */
const CLOSE_TIMEOUT = 5_000;

/** A WebSocket that knows its connection, so that one set of listeners serves all of them. */
class RealtimeSocket extends WebSocket {
  connection: WebSocketConnection | undefined;
  /** With what the closing handshake was begun, or answered. */
  closeCode: number | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    this.closeCode ??= code;
    super.close(code, reason);
  }
}

/** Takes WebSocket upgrades below the module's path, and what comes in on them. */
export class RealtimeGateway {
  private readonly logger = new Logger('Realtime');
  private readonly heartbeat: Heartbeat;
  private readonly server: Server<typeof RealtimeSocket>;
  private readonly sockets = new Set<RealtimeSocket>();

  constructor(
    private readonly hub: HubCore,
    private readonly gate: UpgradeGate,
    private readonly dispatcher: CommandDispatcher,
    private readonly settings: GatewaySettings,
  ) {
    this.heartbeat = new Heartbeat(settings.heartbeat);
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: settings.maxMessageBytes,
      perMessageDeflate: settings.compression ? DEFLATE : false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      WebSocket: RealtimeSocket,
      closeTimeout: CLOSE_TIMEOUT,
      autoPong: false,
    } as ServerOptions<typeof RealtimeSocket>);
    this.server.on('wsClientError', (error, socket, { method }) => refuseHandshake(socket, method, error.message));
  }

  get path(): string {
    return this.settings.path;
  }

  start(): void {
    this.heartbeat.start();
  }

  /** How long it may take to decide about an upgrade, in ms. */
  get handshakeTimeout(): number {
    return this.gate.settings.handshakeTimeout;
  }

  /** @returns undefined when the URL is none of this gateway's */
  match(url: string): UpgradePath | undefined {
    return matchUpgradePath(this.settings.path, url);
  }

  /** Refuses the upgrades that are still being decided: nobody who asks now will be served. */
  refuseUndecided(): void {
    this.gate.refuseUndecided();
  }

  /** Waits for the closing handshakes under way, cuts what is left, and releases every handle. */
  async stop(): Promise<void> {
    const deadline = performance.now() + CLOSE_GRACE;
    while (this.sockets.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const socket of this.sockets) socket.terminate();
    this.heartbeat.stop();
    this.server.close();
  }

  /** Decides about a request whose path has matched, and answers it. Never rejects. */
  async upgrade(request: IncomingMessage, path: UpgradePath, socket: Socket, head: Buffer): Promise<void> {
    // While guards think, the client may go; without a listener that would be an uncaught exception.
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    try {
      await this.gate.pass(request, path, (admission) => {
        socket.off('error', ignore);
        uncorkLater(socket);
        this.server.handleUpgrade(request, socket, head, (webSocket) => {
          this.accept(webSocket, request, socket, admission);
        });
      });
    } catch (error) {
      const exception = toHttpException(error);
      if (exception !== error) {
        this.logger.error('An upgrade failed', errorText(error, request));
      }
      refuseUpgrade(socket, exception);
    }
  }

  private accept(webSocket: RealtimeSocket, request: IncomingMessage, socket: Socket, admission: Admission): void {
    const { user } = admission;
    this.sockets.add(webSocket);
    webSocket.on('error', onSocketError);
    webSocket.once('close', () => this.sockets.delete(webSocket));
    const { connectionsPerUser } = this.hub.settings.limits;
    if (user && this.hub.connections.countOfUser(user.id) >= connectionsPerUser) {
      webSocket.close(CloseCode.ConnectionLimit, `at most ${connectionsPerUser} connections for a user`);
      return;
    }
    const handshake = new Handshake(redactToken(request.url ?? ''), socket.remoteAddress ?? '');
    const connection = new WebSocketConnection(
      this.hub,
      { id: randomUUID(), transport: 'websocket', user, handshake },
      webSocket,
      socket,
      this.settings.compression,
    );
    connection.room = admission.room;
    webSocket.connection = connection;
    this.listen(webSocket);
    this.hub.register(connection);
    this.heartbeat.add(connection);
    const { ready, started } = readiness();
    connection.ready = ready;
    void this.begin(connection, admission, started);
  }

  /** Runs the connect handlers, joins the channels, greets; then messages are handled. */
  private async begin(connection: WebSocketConnection, admission: Admission, started: () => void): Promise<void> {
    try {
      await this.hub.lifecycle.begin(connection);
      const subscribe = (channel: string): Promise<void> => this.dispatcher.subscribe(connection, channel);
      await joinChannels(connection, admission.channels, this.handshakeTimeout, subscribe);
      const { welcome, heartbeat } = this.settings;
      connection.release(welcome ? greetingFor(this.hub, connection, heartbeat) : undefined);
    } catch (error) {
      connection.release();
      const { code, reason, unexpected } = closeCodeFor(error);
      if (unexpected) this.logger.error('An @OnConnect handler failed', describeError(error));
      connection.close(code, reason);
    } finally {
      connection.ready = undefined;
      started();
    }
  }

  /** One set of listeners for all sockets, so that a connection costs none of its own. */
  private listen(webSocket: RealtimeSocket): void {
    webSocket.on('message', this.onMessage);
    webSocket.on('ping', onPing);
    webSocket.on('pong', onPong);
    webSocket.on('close', this.onClose);
  }

  private readonly onMessage = withSocket((socket, data: RawData, isBinary: boolean) => {
    const connection = socket.connection!;
    if (!connection.open) return;
    if (isBinary) this.dispatcher.handleBinary(connection);
    else this.dispatcher.handle(connection, (data as Buffer).toString('utf8'));
  });

  private readonly onClose = withSocket((socket, code: number, reason: Buffer) => {
    const connection = socket.connection!;
    this.heartbeat.remove(connection);
    connection.closed(code, reason.toString('utf8'));
  });
}

/** Makes a listener that is told which socket it is called for. */
function withSocket<A extends unknown[]>(listener: (socket: RealtimeSocket, ...args: A) => void) {
  return function (this: WebSocket, ...args: A): void {
    listener(this as RealtimeSocket, ...args);
  };
}

function onPing(this: WebSocket, payload: Buffer): void {
  (this as RealtimeSocket).connection!.pong(payload);
}

function onPong(this: WebSocket): void {
  (this as RealtimeSocket).connection!.lastPong = performance.now();
}

/** `ws` has sent a close frame with the code that fits. Nothing may follow it, and from this client nothing will. */
function onSocketError(this: WebSocket): void {
  const { connection, closeCode } = this as RealtimeSocket;
  if (closeCode !== undefined) connection?.closed(closeCode, '');
}

/**
 * Holds the handshake's answer back for the rest of the turn, so that the greeting leaves in the same write: a system call
 * is a tenth of what accepting a connection costs.
 */
function uncorkLater(socket: Socket): void {
  socket.cork();
  setImmediate(() => socket.uncork());
}

/** A promise and its key. */
function readiness(): { ready: Promise<void>; started: () => void } {
  let started!: () => void;
  const ready = new Promise<void>((resolve) => (started = resolve));
  return { ready, started };
}
