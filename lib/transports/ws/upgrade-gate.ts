import type { IncomingMessage } from 'node:http';
import { BadRequestException, ForbiddenException, HttpException, Logger } from '@nestjs/common';
import {
  type AuthResult,
  type ConnectedUser,
  identityOf,
  InvalidCredentialsError,
  toAuthenticationError,
} from '../../auth';
import type { ConnectionHooks } from '../../channels/connection-hooks';
import { parseQuery } from '../../hub/handshake';
import type { HubCore } from '../../hub/hub-core';
import { channelNameRule, isChannelName } from '../../protocol/channel-name';
import { errorText } from './error-text';
import type { GuardChain } from './guard-chain';
import { UpgradeUnavailableException } from './http-refusal';
import { isOriginAllowed, type OriginOption } from './origin-policy';
import type { UpgradePath } from './upgrade-path';

/** What the gate needs to know of the module's options. */
export interface GateSettings {
  readonly origins: OriginOption | undefined;
  readonly roomChannel: (room: string) => string;
  /** How long guards and handshake handlers may take together, in ms. */
  readonly handshakeTimeout: number;
  readonly onFailure: ((request: IncomingMessage, result: AuthResult) => unknown) | undefined;
}

/** A request that may become a connection. */
export interface Admission {
  readonly user: ConnectedUser | undefined;
  /** The channel that the path fixed. */
  readonly room: string | undefined;
  /** Channels to join, the room's first. */
  readonly channels: readonly string[];
}

/** Whether a request has been answered. */
interface Decision {
  over: boolean;
}

const SHUTTING_DOWN = 'The server is shutting down';

/**
 * Decides whether a request becomes a connection, before there is one. The order of the checks is PROTOCOL.md's; the
 * path has been checked already.
 */
export class UpgradeGate {
  private readonly logger = new Logger('Realtime');
  /** Requests that are between the limit's check and their registration. */
  private pending = 0;
  /** Gives up on a decision under way; one for each of them. */
  private readonly undecided = new Set<(refusal: HttpException) => void>();

  constructor(
    private readonly hub: HubCore,
    private readonly guards: GuardChain,
    private readonly hooks: ConnectionHooks,
    readonly settings: GateSettings,
  ) {}

  /**
   * @param admit called when everything has passed, while the place is still held
   * @throws HttpException: the answer to give
   */
  async pass(request: IncomingMessage, path: UpgradePath, admit: (admission: Admission) => void): Promise<void> {
    try {
      await this.decide(request, path, admit);
    } catch (error) {
      if (isUnauthorized(error)) this.reportFailure(request, error);
      throw error;
    }
  }

  /** Refuses the requests that wait for a guard or a handler: the server is going away. */
  refuseUndecided(): void {
    for (const refuse of this.undecided) refuse(new UpgradeUnavailableException(SHUTTING_DOWN));
  }

  private async decide(request: IncomingMessage, path: UpgradePath, admit: (admission: Admission) => void): Promise<void> {
    this.assertRunning();
    if (!(await this.inTime(this.isOriginAllowed(request)))) throw new ForbiddenException('Origin not allowed');
    this.assertBelowLimit();
    this.pending++;
    const decision: Decision = { over: false };
    try {
      const admission = await this.inTime(this.examine(request, path, decision));
      // The server may have begun to shut down while a guard was thinking.
      this.assertRunning();
      admit(admission);
    } finally {
      decision.over = true;
      this.pending--;
    }
  }

  private async examine(request: IncomingMessage, path: UpgradePath, decision: Decision): Promise<Admission> {
    await this.guards.run(request);
    // Handshake handlers count, reserve and write down: not for a client that has had its answer, or is gone.
    if (decision.over || request.socket.destroyed) throw new UpgradeUnavailableException('The client is not waiting any more');
    const user = this.identify(request);
    const room = path.room === undefined ? undefined : this.roomChannel(path.room);
    const queryRooms = this.queryRooms(request);
    const channels = await this.hooks.handshake(request, user);
    const joined = [...(room === undefined ? [] : [room]), ...queryRooms, ...channels];
    return { user, room, channels: [...new Set(joined)] };
  }

  /** A guard or hook that never answers must not hold a socket for ever. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    let refuse!: (refusal: HttpException) => void;
    const refused = new Promise<never>((_, reject) => (refuse = reject));
    const expire = (): void => refuse(new UpgradeUnavailableException('The server took too long to decide'));
    const timer = setTimeout(expire, this.settings.handshakeTimeout);
    this.undecided.add(refuse);
    try {
      return await Promise.race([work, refused]);
    } finally {
      clearTimeout(timer);
      this.undecided.delete(refuse);
    }
  }

  private assertRunning(): void {
    const { state } = this.hub;
    if (state === 'running') return;
    throw new UpgradeUnavailableException(state === 'starting' ? 'The server is starting' : SHUTTING_DOWN);
  }

  private assertBelowLimit(): void {
    if (this.hub.connections.size + this.pending < this.hub.settings.limits.connections) return;
    throw new UpgradeUnavailableException('The server has as many connections as it takes');
  }

  /** A policy of the application's own that throws has not allowed anything. */
  private async isOriginAllowed(request: IncomingMessage): Promise<boolean> {
    try {
      return await isOriginAllowed(this.settings.origins, request);
    } catch (error) {
      this.logger.error('The "origins" function failed; the request is refused', errorText(error, request));
      return false;
    }
  }

  /** A guard of the application's own may leave anything in `request.user`. */
  private identify(request: IncomingMessage): ConnectedUser | undefined {
    try {
      return identityOf(request);
    } catch (error) {
      this.logger.error('A guard left an identity that cannot be used', errorText(error, request));
      throw new InvalidCredentialsError('A guard left an identity that cannot be used', error);
    }
  }

  /** The hook only looks on: what it does cannot change the answer. */
  private reportFailure(request: IncomingMessage, error: HttpException): void {
    const { onFailure } = this.settings;
    if (!onFailure) return;
    const result: AuthResult = { valid: false, error: toAuthenticationError(error) ?? new InvalidCredentialsError() };
    void (async () => onFailure(request, result))().catch((thrown: unknown) => {
      this.logger.error('auth.onFailure failed', errorText(thrown, request));
    });
  }

  private queryRooms(request: IncomingMessage): string[] {
    const { room } = parseQuery(request.url ?? '');
    if (room === undefined) return [];
    return (Array.isArray(room) ? room : [room]).map((name) => this.roomChannel(name));
  }

  private roomChannel(room: string): string {
    const { channelNameLength } = this.hub.settings.limits;
    const channel = room === '' ? undefined : this.settings.roomChannel(room);
    if (isChannelName(channel, channelNameLength)) return channel;
    throw new BadRequestException(`Not a room's name: ${channelNameRule(channelNameLength)}`);
  }
}

function isUnauthorized(error: unknown): error is HttpException {
  return error instanceof HttpException && error.getStatus() === 401;
}
