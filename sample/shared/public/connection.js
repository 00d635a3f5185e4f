import { backoff } from './backoff.js';
import { explain, isFinal, isGoingAway } from './close-codes.js';

const SUBPROTOCOL = 'realtime.v1';
/** How long a server may take to open a connection, or to answer a request, in ms. */
const OPEN_TIMEOUT = 10_000;
const REPLY_TIMEOUT = 15_000;
const DEFAULT_HEARTBEAT = { interval: 30_000, timeout: 60_000 };

/** The server answered a command with an `error` frame. */
export class RequestError extends Error {
  constructor({ code, message, details }) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** There was no answer: whether the command was carried out is not known. */
export class ConnectionLostError extends Error {}

/**
 * A WebSocket that comes back. Speaks version 1 of the protocol; what is subscribed to is kept by `channel.js`.
 *
 * Events: `state` (a new `state`), `open` (after the server's greeting; `detail` is its data), `frame` (every
 * frame).
 *
 * States: `idle`, `connecting`, `online`, `waiting` (for the next attempt, at `retryAt`), `draining` (the server is about
 * to go), `stopped` (for good, `problem` says why).
 */
export class Connection extends EventTarget {
  state = 'idle';
  /** What the server said it is, once it has: `{ connectionId, user, heartbeat, ... }`. */
  session;
  retryAt = 0;
  problem = '';
  #url;
  #socket;
  #attempt = 0;
  #advisedDelay;
  #timer;
  #pulse;
  #heardAt = 0;
  #nextId = 1;
  #requests = new Map();

  /** @param url gives the URL for each attempt */
  constructor(url) {
    super();
    this.#url = url;
    addEventListener('online', () => this.#wake());
    addEventListener('offline', () => this.#declareDead());
    document.addEventListener('visibilitychange', () => this.#onVisible());
  }

  get online() {
    return this.state === 'online' || this.state === 'draining';
  }

  start() {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#setState('connecting');
    const socket = new WebSocket(this.#url(), SUBPROTOCOL);
    this.#socket = socket;
    const timeout = setTimeout(() => socket.close(), OPEN_TIMEOUT);
    socket.addEventListener('message', ({ data }) => {
      clearTimeout(timeout);
      this.#receive(JSON.parse(data));
    });
    socket.addEventListener('close', ({ code, reason }) => {
      clearTimeout(timeout);
      this.#onClose(socket, code, reason);
    });
  }

  /** Leaves, and does not come back until `start()`. */
  stop() {
    this.#abandon();
    this.#setState('idle');
  }

  /** Comes back at once, on a user's word even after it was told not to come back by itself. */
  retryNow() {
    if (this.state === 'stopped') this.start();
    this.#wake();
  }

  /** A new connection in place of this one: the handshake's query has changed. */
  renew() {
    this.#abandon();
    this.start();
  }

  /** Sends a message that nobody waits for. @returns whether it went out */
  send(message) {
    if (!this.online || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Sends a command. Resolves with the reply's frame.
   *
   * @throws RequestError when the server refuses, ConnectionLostError when there is no answer
   */
  request(message) {
    return new Promise((resolve, reject) => {
      const id = `c${this.#nextId++}`;
      if (!this.send({ ...message, id })) {
        reject(new ConnectionLostError('not connected'));
        return;
      }
      const timeout = setTimeout(() => {
        this.#requests.delete(id);
        reject(new ConnectionLostError('no answer'));
      }, REPLY_TIMEOUT);
      this.#requests.set(id, { resolve, reject, timeout });
    });
  }

  #receive(frame) {
    this.#heardAt = Date.now();
    if (frame.type === 'connected') this.#onConnected(frame.data);
    else if (frame.type === 'draining') this.#onDraining(frame.data);
    this.#settle(frame);
    this.dispatchEvent(new CustomEvent('frame', { detail: frame }));
  }

  #onConnected(session) {
    this.session = session;
    this.#attempt = 0;
    this.#advisedDelay = undefined;
    this.#watchPulse(session.heartbeat ?? DEFAULT_HEARTBEAT);
    this.#setState('online');
    this.dispatchEvent(new CustomEvent('open', { detail: session }));
  }

  #onDraining({ reconnectAfter }) {
    this.#advisedDelay = reconnectAfter;
    this.#setState('draining');
  }

  #settle(frame) {
    const request = this.#requests.get(frame.id);
    if (!request) return;
    this.#requests.delete(frame.id);
    clearTimeout(request.timeout);
    if (frame.type === 'error') request.reject(new RequestError(frame.data));
    else request.resolve(frame);
  }

  #onClose(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#release();
    if (isFinal(code)) {
      this.problem = explain(code, reason);
      this.#setState('stopped');
      return;
    }
    const advised = isGoingAway(code) ? this.#advisedDelay : undefined;
    this.#advisedDelay = undefined;
    const delay = advised ?? backoff(this.#attempt++);
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.start(), delay);
    this.#setState('waiting');
  }

  #abandon() {
    const socket = this.#socket;
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.#release();
    socket?.close(1000);
  }

  #release() {
    this.#socket = undefined;
    clearInterval(this.#pulse);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject, timeout } of requests) {
      clearTimeout(timeout);
      reject(new ConnectionLostError('the connection was lost'));
    }
  }

  /** Browsers hide the server's pings from scripts: a question of our own finds out whether it is still there. */
  #watchPulse({ interval, timeout }) {
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => {
      if (Date.now() - this.#heardAt > timeout) this.#declareDead();
      else this.send({ type: 'ping' });
    }, interval);
  }

  /** A laptop that wakes up finds out now, not at the next beat. */
  #onVisible() {
    if (document.visibilityState !== 'visible') return;
    this.#wake();
    if (this.online) this.request({ type: 'ping' }).catch(() => this.#declareDead());
  }

  #wake() {
    if (this.state !== 'waiting') return;
    this.#attempt = 0;
    this.start();
  }

  /** A closing handshake with a peer that is gone takes long: it is not waited for. */
  #declareDead() {
    const socket = this.#socket;
    if (!socket) return;
    socket.close();
    this.#onClose(socket, 1006, 'no answer');
  }

  #setState(state) {
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}
