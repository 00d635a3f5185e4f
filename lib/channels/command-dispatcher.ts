import type { Connection } from '../hub/connection';
import { quoteName } from '../hub/describe-error';
import type { HubCore } from '../hub/hub-core';
import { CloseCode } from '../protocol/close-codes';
import { type Command, MalformedCommandError, parseCommand } from '../protocol/commands';
import { ErrorCode, type ErrorData, RealtimeError } from '../protocol/errors';
import type { ChannelCommand, ChannelCommands } from './channel-commands';
import { CommandLanes } from './command-lanes';
import type { ErrorMapper } from './error-mapper';
import { RESERVED_TYPES } from './handler-registry';
import type { MessageCommands } from './message-commands';
import { RateLimiter } from './rate-limiter';
import type { SessionCommands } from './session-commands';

/** Bounds on what one client may ask for. */
export interface DispatchLimits {
  /** Messages a second; Infinity is no limit. */
  readonly messagesPerSecond: number;
  /** Commands of one connection that run or wait at a time; with more, nothing is read from its socket. */
  readonly pendingCommands: number;
}

/** Commands without a channel run in one lane each. */
const REFRESH_LANE = '\nrefresh';
/** Pings too, while they wait for the connect handlers. */
const PING_LANE = '\nping';

/** Takes the messages of all clients, parses them and gives each command to what carries it out. */
export class CommandDispatcher {
  private readonly lanes = new WeakMap<Connection, CommandLanes>();
  private readonly limiters = new WeakMap<Connection, RateLimiter>();
  private running = 0;
  private idleWaiters: (() => void)[] = [];
  private requestCount = 0;

  constructor(
    private readonly hub: HubCore,
    private readonly channelCommands: ChannelCommands,
    private readonly messageCommands: MessageCommands,
    private readonly sessionCommands: SessionCommands,
    private readonly errors: ErrorMapper,
    private readonly limits: DispatchLimits,
  ) {}

  /** Takes the text of one frame. Never throws. */
  handle(connection: Connection, text: string): void {
    const refusal = this.judgeRate(connection);
    if (!connection.open) return;
    let command: Command;
    try {
      command = this.parse(connection, text);
    } catch (error) {
      const id = error instanceof MalformedCommandError ? error.id : undefined;
      this.refuse(connection, { id }, refusal ?? error);
      return;
    }
    // Parsed although it is refused: the client can only tell its commands apart by their ids.
    if (refusal) this.refuse(connection, command, refusal);
    else this.dispatch(connection, command);
  }

  /** Takes a binary frame, which nothing is defined for. */
  handleBinary(connection: Connection): void {
    const refusal = this.judgeRate(connection);
    if (!connection.open) return;
    const error = new RealtimeError(ErrorCode.BadRequest, 'Binary frames are not accepted: send JSON in text frames');
    this.refuse(connection, {}, refusal ?? error);
  }

  /**
   * Subscribes a connection as if it had asked for it: to the room of its path, the channels of its stream, or what a
   * handshake handler said.
   */
  subscribe(connection: Connection, channel: string, cursor?: string): Promise<void> {
    const command: ChannelCommand = { type: 'subscribe', channel, cursor };
    return this.run(connection, command, async () => {
      this.hub.assertChannelName(channel);
      await this.channelCommands.subscribe(connection, command);
    });
  }

  /** Resolves when no handler runs any more. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private dispatch(connection: Connection, command: Command): void {
    if (command.type === 'ping' && connection.ready === undefined) {
      this.sessionCommands.ping(connection, command);
      return;
    }
    const lanes = this.lanesOf(connection);
    const lane = this.laneOf(command);
    void lanes
      .add(lane, connection.ready, () => this.run(connection, command, () => this.execute(connection, command)))
      .then(() => {
        if (lanes.pending < this.limits.pendingCommands) connection.resumeReading();
      });
    if (lanes.pending >= this.limits.pendingCommands) connection.pauseReading();
  }

  private async execute(connection: Connection, command: Command): Promise<void> {
    if (!connection.open) return;
    switch (command.type) {
      case 'ping':
        return this.sessionCommands.ping(connection, command);
      case 'subscribe':
        return this.channelCommands.subscribe(connection, this.withChannel(command));
      case 'unsubscribe':
        return this.channelCommands.unsubscribe(connection, this.withChannel(command));
      case 'presence':
        return this.channelCommands.presence(connection, this.withChannel(command));
      case 'history':
        return this.channelCommands.history(connection, this.withChannel(command));
      case 'refresh':
        return this.sessionCommands.refresh(connection, command);
    }
    if (command.channel === undefined) return this.messageCommands.request(connection, command);
    return this.messageCommands.publish(connection, this.withChannel(command));
  }

  /** On a connection whose path fixed a room, what names no channel belongs to the room. */
  private parse(connection: Connection, text: string): Command {
    const command = parseCommand(text, this.hub.settings.envelope);
    const { room } = connection;
    if (room === undefined || command.channel !== undefined || RESERVED_TYPES.has(command.type)) return command;
    return { ...command, channel: room };
  }

  private withChannel(command: Command): ChannelCommand {
    this.hub.assertChannelName(command.channel);
    return command as ChannelCommand;
  }

  /** Runs one command; whatever goes wrong becomes an `error` frame. Never rejects. */
  private async run(connection: Connection, command: Command, work: () => Promise<void>): Promise<void> {
    this.running++;
    try {
      await work();
    } catch (error) {
      this.refuse(connection, command, error);
    } finally {
      this.running--;
      if (this.running === 0) for (const wake of this.idleWaiters.splice(0)) wake();
    }
  }

  private refuse(connection: Connection, { id, channel, type }: Partial<Command>, error: unknown): void {
    const data: ErrorData = this.errors.toErrorData(error, `The handler of ${quoteName(type ?? 'a message')}`);
    try {
      connection.sendMessage({ type: 'error', id, channel, data });
    } catch (unserialisable) {
      // The details were no JSON; the rest of the error still is.
      const reported = this.errors.toErrorData(unserialisable, 'The details of an error');
      connection.sendMessage({ type: 'error', id, channel, data: reported });
    }
  }

  /** Requests are independent of each other; everything on a channel is in its order. */
  private laneOf(command: Command): string {
    if (command.type === 'refresh') return REFRESH_LANE;
    if (command.type === 'ping') return PING_LANE;
    return command.channel ?? `\n${this.requestCount++}`;
  }

  private lanesOf(connection: Connection): CommandLanes {
    let lanes = this.lanes.get(connection);
    if (!lanes) this.lanes.set(connection, (lanes = new CommandLanes()));
    return lanes;
  }

  /** Counts one message. A client that goes on after being refused is sent away. @returns the refusal, if it is one */
  private judgeRate(connection: Connection): RealtimeError | undefined {
    const { messagesPerSecond } = this.limits;
    if (messagesPerSecond === Infinity) return undefined;
    const now = performance.now();
    let limiter = this.limiters.get(connection);
    if (!limiter) this.limiters.set(connection, (limiter = new RateLimiter(messagesPerSecond, now)));

    const verdict = limiter.take(now);
    if (verdict === 'pass') return undefined;
    const error = new RealtimeError(ErrorCode.RateLimited, `At most ${messagesPerSecond} messages a second are accepted`);
    if (verdict === 'disconnect') connection.close(CloseCode.RateLimited, error.message);
    return error;
  }
}
