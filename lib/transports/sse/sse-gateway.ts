import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadRequestException, ForbiddenException, Logger, MethodNotAllowedException } from '@nestjs/common';
import { redactToken } from '../../auth';
import type { CommandDispatcher } from '../../channels/command-dispatcher';
import { describeError } from '../../hub/describe-error';
import { Handshake } from '../../hub/handshake';
import type { HubCore } from '../../hub/hub-core';
import { greetingFor } from '../greeting';
import { joinChannels } from '../join-channels';
import { closeCodeFor } from '../ws/connect-failure';
import { errorText } from '../ws/error-text';
import type { HeartbeatSettings } from '../ws/heartbeat';
import { toHttpException } from '../ws/http-refusal';
import type { Admission, UpgradeGate } from '../ws/upgrade-gate';
import { EventEncoder } from './event-frame';
import { answerRefusal } from './http-answer';
import { KeepAlive } from './keep-alive';
import { SseConnection } from './sse-connection';
import { StreamPositions } from './stream-positions';
import { readStreamRequest, type StreamRequest } from './stream-request';

/** What the gateway needs to know of the module's options. */
export interface SseSettings {
  /** Of the streams: `{path}/events`. */
  readonly path: string;
  /** Channels that one stream may have: the id of each event speaks of all. */
  readonly maxChannels: number;
  readonly heartbeat: HeartbeatSettings;
  readonly welcome: boolean;
}

/** Proxies commonly cut what has been silent for a minute. */
const LONGEST_SILENCE = 30_000;
/** How long clients may take to read the end of their streams when the server stops, in ms. */
const CLOSE_GRACE = 1_000;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream',
  // Not transformed either: a compressing proxy or middleware would hold events back.
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};

/** Takes requests for event streams through the same gate as upgrades, and serves them. */
export class SseGateway {
  private readonly logger = new Logger('Realtime');
  private readonly encoder = new EventEncoder();
  private readonly keepAlive: KeepAlive;
  private readonly streams = new Set<SseConnection>();

  constructor(
    private readonly hub: HubCore,
    private readonly gate: UpgradeGate,
    private readonly dispatcher: CommandDispatcher,
    private readonly settings: SseSettings,
  ) {
    const { interval, writeTimeout } = settings.heartbeat;
    this.keepAlive = new KeepAlive({ interval: Math.min(interval, LONGEST_SILENCE), writeTimeout });
  }

  get path(): string {
    return this.settings.path;
  }

  /** Decides about a request, and answers it. Never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') {
      answerRefusal(response, new MethodNotAllowedException(), { Allow: 'GET' });
      return;
    }
    try {
      await this.gate.pass(request, {}, (admission) => this.accept(request, response, admission));
    } catch (error) {
      const exception = toHttpException(error);
      if (exception !== error) this.logger.error('A request for an event stream failed', errorText(error, request));
      answerRefusal(response, exception);
    }
  }

  /** Cuts the streams whose end has not been read by now, and releases every handle. */
  async stop(): Promise<void> {
    const deadline = performance.now() + CLOSE_GRACE;
    while (this.streams.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const stream of this.streams) stream.terminate();
    this.keepAlive.stop();
  }

  private accept(request: IncomingMessage, response: ServerResponse, { user, channels: joined }: Admission): void {
    // The client may have gone while a guard was thinking.
    if (response.destroyed || request.socket.destroyed) return;
    const wanted = readStreamRequest(request);
    const channels = [...new Set([...joined, ...wanted.channels])];
    this.assertWithinLimits(channels.length, user?.id);
    const positions = new StreamPositions(channels);
    // Kept until a channel is joined: an id that is told before must not forget where the channel was.
    for (const channel of channels) positions.set(channel, wanted.cursorOf(channel));
    setHeaders(request, response);
    const connection = new SseConnection(
      this.hub,
      {
        id: randomUUID(),
        transport: 'sse',
        user,
        handshake: new Handshake(redactToken(request.url ?? ''), request.socket.remoteAddress ?? ''),
      },
      { response, encoder: this.encoder, positions },
    );
    this.hub.register(connection);
    this.streams.add(connection);
    this.keepAlive.add(connection);
    onceClosed(request, response, () => {
      this.streams.delete(connection);
      this.keepAlive.remove(connection);
      connection.closed();
    });
    void this.begin(connection, channels, wanted);
  }

  private assertWithinLimits(channels: number, userId: string | undefined): void {
    const { maxChannels } = this.settings;
    if (channels > maxChannels) throw new BadRequestException(`A stream may have ${maxChannels} channels: open several`);
    const { connectionsPerUser } = this.hub.settings.limits;
    if (userId === undefined || this.hub.connections.countOfUser(userId) < connectionsPerUser) return;
    throw new ForbiddenException(`At most ${connectionsPerUser} connections for a user`);
  }

  /** Runs the connect handlers, joins the channels, greets. */
  private async begin(connection: SseConnection, channels: readonly string[], { cursorOf }: StreamRequest): Promise<void> {
    try {
      await this.hub.lifecycle.begin(connection);
      const { handshakeTimeout } = this.hub.settings.limits;
      await joinChannels(connection, channels, handshakeTimeout, (channel) =>
        this.dispatcher.subscribe(connection, channel, cursorOf(channel)),
      );
      const { welcome, heartbeat } = this.settings;
      connection.release(welcome ? greetingFor(this.hub, connection, heartbeat) : undefined);
    } catch (error) {
      const { code, reason, unexpected } = closeCodeFor(error);
      if (unexpected) this.logger.error('An @OnConnect handler failed', describeError(error));
      connection.close(code, reason);
    }
  }
}

/** Also for a request that was pipelined: of the end of a connection, Node tells only the response whose turn it is. */
function onceClosed({ socket }: IncomingMessage, response: ServerResponse, listener: () => void): void {
  const closed = (): void => {
    response.off('close', closed);
    socket.off('close', closed);
    listener();
  };
  response.once('close', closed);
  if (response.socket === null) socket.once('close', closed);
}

function setHeaders(request: IncomingMessage, response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  if (request.httpVersionMajor === 1) {
    // HTTP/2 forbids it.
    response.setHeader('Connection', 'keep-alive');
    request.socket.setTimeout(0);
    request.socket.setNoDelay(true);
  }
  allowOrigin(request, response);
}

/** The gate has let the origin in; a browser wants to read so. An application's own CORS goes first. */
function allowOrigin({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
  if (origin === undefined || response.hasHeader('Access-Control-Allow-Origin')) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.appendHeader('Vary', 'Origin');
}
