import { RequestError } from './connection.js';

/** Types that the protocol itself uses: everything else on a channel is a publication. */
const RESERVED = new Set([
  'connected', 'subscribed', 'unsubscribed', 'ack', 'pong', 'error', 'join', 'leave', 'reset', 'draining', 'presence',
  'history', 'refreshed',
]);

/**
 * One channel of a connection. Subscribes again whenever the connection is back, and continues where it was: it keeps the
 * cursor of the last publication that it has seen.
 *
 * Events, each with the frame as its `detail`: `subscribed` (every time; look at `recovered`), `publication`, `join`,
 * `leave`, `reset` (the server lost continuity), `removed` (the server took us off), `refused`; and `lost` when the
 * connection is gone.
 */
export class Channel extends EventTarget {
  cursor;
  /** Whether publications are coming in. */
  live = false;
  #connection;
  #replay;
  #abort = new AbortController();

  /**
   * @param replay how many of the last publications to begin with
   * @param follows a channel that has to be subscribed to first, each time
   */
  constructor(connection, name, { replay = 0, follows } = {}) {
    super();
    this.name = name;
    this.#connection = connection;
    this.#replay = replay;
    const { signal } = this.#abort;
    if (follows) follows.addEventListener('subscribed', () => this.#subscribe(), { signal });
    else connection.addEventListener('open', () => this.#subscribe(), { signal });
    connection.addEventListener('frame', ({ detail }) => this.#receive(detail), { signal });
    connection.addEventListener('state', () => this.#onState(), { signal });
  }

  /** Subscribes now, when the connection is there; otherwise when it is. */
  open() {
    if (this.#connection.online) this.#subscribe();
  }

  close() {
    this.#abort.abort();
    this.#connection.send({ type: 'unsubscribe', channel: this.name });
  }

  /** Publishes. The same `idempotencyKey` again publishes nothing. */
  publish(type, data, { idempotencyKey } = {}) {
    return this.#connection.request({ type, channel: this.name, data, idempotencyKey });
  }

  /** Publishes what may as well be lost. */
  mention(type) {
    return this.#connection.send({ type, channel: this.name });
  }

  async presence() {
    const { data } = await this.#connection.request({ type: 'presence', channel: this.name });
    return data.members;
  }

  /** What the server still has of the last publications, oldest first. */
  async history(limit) {
    const data = { limit, reverse: true };
    const reply = await this.#connection.request({ type: 'history', channel: this.name, data });
    return reply.data.publications.toReversed();
  }

  #subscribe() {
    const start = this.cursor === undefined ? { replay: this.#replay } : { cursor: this.cursor };
    this.#connection.request({ type: 'subscribe', channel: this.name, ...start }).catch((error) => {
      // Without an answer there will be another connection, and another attempt.
      if (error instanceof RequestError) this.#emit('refused', error);
    });
  }

  #receive(frame) {
    if (frame.channel !== this.name) return;
    if (frame.type === 'subscribed') this.#onSubscribed(frame);
    else if (frame.type === 'unsubscribed') this.#onUnsubscribed(frame);
    else if (frame.type === 'join' || frame.type === 'leave') this.#emit(frame.type, frame);
    else if (frame.type === 'reset') this.#onReset(frame);
    else if (!RESERVED.has(frame.type)) this.#onPublication(frame);
  }

  #onSubscribed(frame) {
    // A replay turns it back and leads up to it again: if it is cut short, we continue after what we have.
    this.cursor = frame.cursor ?? this.cursor;
    this.live = true;
    this.#emit('subscribed', frame);
  }

  #onPublication(frame) {
    this.cursor = frame.cursor ?? this.cursor;
    this.#emit('publication', frame);
  }

  #onReset(frame) {
    this.cursor = frame.cursor;
    this.#emit('reset', frame);
  }

  #onUnsubscribed(frame) {
    this.live = false;
    if (frame.data) this.#emit('removed', frame);
  }

  #onState() {
    if (!this.live || this.#connection.online) return;
    this.live = false;
    this.#emit('lost');
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
