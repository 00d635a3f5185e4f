import type { Frame } from '../../../../lib/client';
import type { FakeSocket } from './fake-network';

/** How long a key is remembered, in ms. */
const KEY_LIFE = 5 * 60_000;

interface Publication {
  readonly position: number;
  readonly key?: string;
}

/** A channel's history: positions from 1 on, of which the first may be gone. */
class History {
  readonly publications: Publication[] = [];
  /** Positions up to this one can no longer be replayed. */
  trimmed = 0;

  get position(): number {
    return this.publications.length;
  }
}

/** One connection, with what is on the wire in both directions. */
class Session {
  readonly toClient: Frame[] = [];
  readonly held = new Set<string>();
  /** Channels that the server has joined, and on which nothing has been sent yet: these can still be continued. */
  readonly fresh = new Set<string>();
  served = 0;

  constructor(readonly socket: FakeSocket) {}
}

/**
 * The protocol's server side, small enough to be believed: one history per channel, each step when the test says so.
 * A cursor is the position as text.
 */
export class ModelServer {
  readonly histories = new Map<string, History>();
  readonly acks = new Map<string, { readonly ack: Frame; readonly at: number }>();
  /** How often each request was handled, by its data. */
  readonly handled = new Map<unknown, number>();
  /** Channels whose next subscribe fails, with the error's code. */
  readonly refusals = new Map<string, string>();
  private session?: Session;

  constructor(private readonly now: () => number) {}

  history(channel: string): History {
    let history = this.histories.get(channel);
    if (!history) this.histories.set(channel, (history = new History()));
    return history;
  }

  async accept(socket: FakeSocket): Promise<void> {
    this.session = new Session(socket);
    this.session.toClient.push({ type: 'connected', data: { connectionId: 'c', channels: [] } });
    await socket.open();
  }

  /** The connection is gone, with everything on the wire. */
  async cut(code: number): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.socket.end(code);
  }

  /** Handles up to `count` messages of the client. */
  serve(count: number): void {
    for (let i = 0; i < count && this.hasWork; i++) this.handle(this.session!.socket.sent[this.session!.served++]!);
  }

  /** Lets up to `count` frames arrive at the client. */
  async deliver(count: number): Promise<void> {
    for (let i = 0; i < count && this.hasNews; i++) {
      await this.session!.socket.receive(this.session!.toClient.shift()!);
    }
  }

  get hasWork(): boolean {
    const { session } = this;
    return session !== undefined && session.socket.isInUse && session.served < session.socket.sent.length;
  }

  get hasNews(): boolean {
    return this.session !== undefined && this.session.socket.isInUse && this.session.toClient.length > 0;
  }

  publish(channel: string, key?: string): number {
    const history = this.history(channel);
    const position = history.position + 1;
    history.publications.push({ position, key });
    this.send(channel, publication(channel, position));
    return position;
  }

  /** The server subscribes the connection without being asked. */
  join(channel: string): void {
    if (!this.session || this.session.held.has(channel)) return;
    this.session.held.add(channel);
    this.session.fresh.add(channel);
    this.session.toClient.push({ ...subscribed(channel), cursor: String(this.history(channel).position) });
  }

  kick(channel: string): void {
    if (!this.session?.held.delete(channel)) return;
    this.session.toClient.push({ type: 'unsubscribed', channel, data: { code: 4503, reason: 'kicked' } });
  }

  /** Some publications are lost on the way to this instance: it notices, and says so. */
  lose(channel: string): void {
    const history = this.history(channel);
    const position = history.position + 1;
    history.publications.push({ position });
    history.trimmed = position;
    this.send(channel, { type: 'reset', channel, cursor: String(position) });
  }

  trim(channel: string): void {
    const history = this.history(channel);
    history.trimmed = history.position;
  }

  private send(channel: string, frame: Frame): void {
    if (!this.session?.held.has(channel)) return;
    this.session.fresh.delete(channel);
    this.session.toClient.push(frame);
  }

  private handle(message: Record<string, unknown>): void {
    const { type, channel, id } = message as { type: string; channel?: string; id?: number };
    const reply = (frame: Frame): void => void this.session!.toClient.push({ ...frame, id });
    if (type === 'ping') reply({ type: 'pong' });
    else if (type === 'subscribe') this.subscribe(channel!, message, reply);
    else if (type === 'unsubscribe') this.unsubscribe(channel!, reply);
    else if (type === 'presence') reply({ type: 'presence', channel, data: { members: [], count: 0, users: 0 } });
    else if (channel !== undefined) this.take(channel, message.idempotencyKey as string, reply);
    else this.answer(message.data, reply);
  }

  private subscribe(channel: string, message: Record<string, unknown>, reply: (frame: Frame) => void): void {
    const code = this.refusals.get(channel);
    this.refusals.delete(channel);
    if (code) return reply({ type: 'error', channel, data: { code, message: code } });

    const history = this.history(channel);
    const from = message.cursor === undefined ? undefined : Number(message.cursor);
    const wasFresh = this.session!.fresh.delete(channel);
    const isHeld = this.session!.held.has(channel) && !(wasFresh && from !== undefined);
    const isKnown = from !== undefined && !isHeld && from >= history.trimmed;
    const recovered = from === undefined ? undefined : isKnown;
    this.session!.held.add(channel);
    // Asked a second time by a client that names no position, it may say where the channel stood a moment ago.
    const position = isHeld && from === undefined ? Math.max(history.position - 1, 0) : history.position;
    reply({ ...subscribed(channel), recovered, cursor: String(isKnown ? from : position) });
    if (!isKnown) return;
    for (const missed of history.publications.slice(from)) this.send(channel, publication(channel, missed.position));
  }

  private unsubscribe(channel: string, reply: (frame: Frame) => void): void {
    this.session!.held.delete(channel);
    reply({ type: 'unsubscribed', channel });
  }

  private take(channel: string, key: string, reply: (frame: Frame) => void): void {
    const known = this.acks.get(key);
    if (known && this.now() - known.at < KEY_LIFE) return reply(known.ack);
    const ack = { type: 'ack', channel, cursor: String(this.publish(channel, key)) };
    this.acks.set(key, { ack, at: this.now() });
    reply(ack);
  }

  private answer(data: unknown, reply: (frame: Frame) => void): void {
    this.handled.set(data, (this.handled.get(data) ?? 0) + 1);
    reply({ type: 'ack', data });
  }
}

function subscribed(channel: string): Frame {
  return { type: 'subscribed', channel, recoverable: true, data: { state: channel } };
}

function publication(channel: string, position: number): Frame {
  return { type: 'news', channel, data: position, cursor: String(position) };
}
