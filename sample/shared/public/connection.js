import { RealtimeClient } from '/realtime-client.mjs';

const GOING_AWAY = 1001;

/** Why the server does not want a client back by itself (PROTOCOL.md, "Heartbeat and close codes"). */
const REASONS = {
  1009: 'a message was too big for the server',
  4501: 'you are not signed in',
  4503: 'the server ended the connection',
  4504: 'there are too many connections',
  4509: 'you opened it somewhere else',
};

/** Makes a client of the server that this page came from. */
export function connect(path, query = {}) {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  // Long enough for a tunnel: what is written meanwhile is sent at its end.
  return new RealtimeClient(url.href, { offlineQueue: { maxAge: 10 * 60_000 } });
}

/**
 * What a page shows of its connection. The client connects, waits and returns by itself.
 *
 * Events: `state` (a new `state`). States: `idle`, `connecting`, `online`, `waiting` (for the next attempt, at
 * `retryAt`), `restarting` (the same, and the server has said so), `stopped` (for good, `problem` says why).
 */
export class ConnectionView extends EventTarget {
  state = 'idle';
  retryAt = 0;
  problem = '';
  #client;
  #unfollow;

  /** Shows this client from now on. */
  follow(client) {
    this.#unfollow?.();
    this.#client = client;
    this.#unfollow = client.on('state', (...change) => this.#onState(...change));
  }

  /** Comes back at once, on a user's word even after the server said that it must not by itself. */
  retryNow() {
    this.#client.connect().catch(() => {
      // The state tells.
    });
  }

  #onState(state, { code, reason, delay }) {
    if (state === 'connecting') this.state = 'connecting';
    else if (state === 'connected') this.state = 'online';
    else if (delay === undefined) this.state = 'stopped';
    else this.state = code === GOING_AWAY ? 'restarting' : 'waiting';
    if (this.state === 'stopped') this.problem = REASONS[code] ?? (reason || 'the server ended the connection');
    this.retryAt = Date.now() + (delay ?? 0);
    this.dispatchEvent(new Event('state'));
  }
}
