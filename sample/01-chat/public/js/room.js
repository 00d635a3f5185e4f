import { Members } from './members.js';

/** Messages that the page keeps of a room. */
const MAX_ITEMS = 500;
const REPLAY = 100;
/** Somebody who says nothing more for so long has stopped typing, in ms. */
const TYPING_TIME = 4_000;
/** At most one word about typing in this time, in ms. */
const TYPING_PAUSE = 2_500;

/**
 * A room that this visitor is in: what was said, what is on its way, and who is there.
 *
 * Events: `change` (draw it again), `message` (a new one came; `detail` is it), `rejected` (the server did not take a
 * text; `detail` is `{ text, problem }`).
 */
export class Room extends EventTarget {
  /** `joining`, `ready`, or `closed` with the reason in `problem`. */
  status = 'joining';
  problem = '';
  topic = '';
  /** Whether what was said before we came is here. */
  caughtUp = false;
  unread = 0;
  members = new Members();
  /** Names of who is typing, each with the timer that ends it. */
  typing = new Map();
  /** What is not sent for certain, by key. */
  outgoing = new Map();
  #items = [];
  /** Cursors and keys of the messages in `#items`. */
  #seen = new Set();
  /** Who was there before the connection was lost: that they come back is no news. */
  #before = new Set();
  #client;
  #channel;
  #typing;
  #unfollow;
  #told = 0;

  constructor(name) {
    super();
    this.name = name;
  }

  /** Enters with a client, or with another one in place of the last: it continues where that one was. */
  enter(client) {
    const cursor = this.#channel?.cursor;
    this.#unfollow?.();
    this.#client = client;
    this.#channel = client.channel(`room:${this.name}`);
    this.#typing = client.channel(`typing:${this.name}`);
    this.#listen();
    this.#unfollow = client.on('state', (state) => this.#onState(state));
    this.#subscribe({ cursor, replay: REPLAY });
    for (const [key, { problem }] of this.outgoing) if (!problem) this.#deliver(key);
  }

  /** Messages and notices, oldest first. */
  get items() {
    return this.#items;
  }

  get empty() {
    return this.outgoing.size === 0 && !this.#items.some(({ kind }) => kind === 'message');
  }

  close() {
    this.#unfollow();
    this.#client.removeChannel(this.#typing.name);
    this.#client.removeChannel(this.#channel.name);
    for (const timer of this.typing.values()) clearTimeout(timer);
  }

  say(text, name) {
    const key = makeKey();
    this.outgoing.set(key, { key, name, text, at: new Date(), problem: '' });
    this.#deliver(key);
    this.#told = 0;
    this.#changed();
  }

  /** Sends what failed once more. */
  retry(key) {
    const message = this.outgoing.get(key);
    if (!message) return;
    message.problem = '';
    this.#deliver(key);
    this.#changed();
  }

  discard(key) {
    this.outgoing.delete(key);
    this.#changed();
  }

  /** Tells the others that something is being typed. */
  tellTyping() {
    const now = Date.now();
    if (this.#typing.state !== 'subscribed' || now - this.#told < TYPING_PAUSE) return;
    this.#told = now;
    this.#typing.publish('typing').catch(() => {
      // As well lost.
    });
  }

  #listen() {
    const channel = this.#channel;
    channel.on('subscribed', (context) => this.#onSubscribed(context));
    channel.on('message', (data, { cursor, timestamp }) => this.#onPublication({ data, cursor, timestamp }));
    channel.on('join', (member) => this.#onJoin(member));
    channel.on('leave', (member) => this.#onLeave(member));
    channel.on('presence', (members) => this.#onMembers(members));
    channel.on('reset', () => void this.#onGap());
    channel.on('unsubscribed', ({ error }) => error && this.#onClosed(error.message));
    // Asks for the members, each time that the room is entered.
    channel.presence();
    this.#typing.on('message', ({ name }) => this.#onTyping(name));
  }

  #subscribe(options) {
    const channel = this.#channel;
    channel.subscribe(options).catch((error) => {
      if (channel === this.#channel) this.#onClosed(error.message);
    });
  }

  #onSubscribed({ data }) {
    this.status = 'ready';
    this.topic = data?.topic ?? this.topic;
    // Only who is in the room may see who is typing.
    this.#typing.subscribe().catch(() => {
      // It works without.
    });
    this.#changed();
  }

  #onState(state) {
    if (state === 'disconnected') this.#onLost();
    // A client that was stopped and is back has given up what it had not yet been told of.
    if (state === 'connected' && this.#channel.state === 'unsubscribed') this.#subscribe({ replay: REPLAY });
  }

  /** The server cannot tell what we missed. What it still has is shown, and that there may be more is said. */
  async #onGap() {
    if (this.#items.at(-1)?.kind !== 'gap' && !this.empty) this.#add({ kind: 'gap', id: makeKey(), at: new Date() });
    try {
      const { publications } = await this.#channel.history({ limit: REPLAY, reverse: true });
      for (const publication of publications.toReversed()) this.#addMessage(publication);
    } catch {
      // What is there is all that there is to show.
    }
    this.#changed();
  }

  #onMembers(members) {
    this.members.reset(members);
    // Commands on a channel are answered in their order: the replay came before this answer.
    this.caughtUp = true;
    this.#changed();
  }

  #onPublication(frame) {
    const message = this.#addMessage(frame);
    if (!message) return;
    this.#stopTyping(message.name);
    this.dispatchEvent(new CustomEvent('message', { detail: message }));
    this.#changed();
  }

  /** @returns the message, when it is new */
  #addMessage({ data, cursor, timestamp }) {
    if (typeof data?.text !== 'string') return undefined;
    const { key, name, text } = data;
    this.outgoing.delete(key);
    if (this.#seen.has(cursor) || (key !== undefined && this.#seen.has(key))) return undefined;
    this.#seen.add(cursor);
    if (key !== undefined) this.#seen.add(key);
    const message = { kind: 'message', id: key ?? cursor, cursor, name, text, at: new Date(timestamp) };
    this.#add(message);
    return message;
  }

  #add(item) {
    this.#items.push(item);
    while (this.#items.length > MAX_ITEMS) {
      const { id, cursor } = this.#items.shift();
      this.#seen.delete(id);
      this.#seen.delete(cursor);
    }
  }

  async #deliver(key) {
    const channel = this.#channel;
    const { text, name } = this.outgoing.get(key);
    try {
      // It waits while there is no connection. With its key it is said once, by another client too.
      const { cursor, timestamp } = await channel.publish('chat', { text, key }, { idempotencyKey: key });
      if (this.outgoing.has(key)) this.#onPublication({ data: { text, name, key }, cursor, timestamp });
    } catch (error) {
      if (channel === this.#channel) this.#onRefused(key, error);
    }
  }

  #onRefused(key, { code, message, details }) {
    const outgoing = this.outgoing.get(key);
    if (!outgoing) return;
    if (code === 'validation_failed') {
      this.outgoing.delete(key);
      const problem = Object.values(details?.[0]?.constraints ?? {})[0] ?? message;
      this.dispatchEvent(new CustomEvent('rejected', { detail: { text: outgoing.text, problem } }));
    } else {
      outgoing.problem = message;
    }
    this.#changed();
  }

  #onJoin(member) {
    const name = this.members.add(member);
    if (name !== undefined && !this.#before.delete(name)) this.#notice(`${name} joined`);
    this.#changed();
  }

  #onLeave(member) {
    const name = this.members.remove(member);
    if (name !== undefined) {
      this.#stopTyping(name);
      this.#notice(`${name} left`);
    }
    this.#changed();
  }

  #notice(text) {
    this.#add({ kind: 'notice', id: makeKey(), text, at: new Date() });
  }

  #onTyping(name) {
    clearTimeout(this.typing.get(name));
    const timer = setTimeout(() => this.#stopTyping(name), TYPING_TIME);
    this.typing.set(name, timer);
    this.#changed();
  }

  #stopTyping(name) {
    clearTimeout(this.typing.get(name));
    if (this.typing.delete(name)) this.#changed();
  }

  #onLost() {
    this.#before = new Set(this.members.names);
    // Entered again after the room, not beside it.
    this.#typing.unsubscribe();
    for (const name of [...this.typing.keys()]) this.#stopTyping(name);
    this.#changed();
  }

  #onClosed(problem) {
    this.status = 'closed';
    this.problem = problem;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** `crypto.randomUUID` is not there over plain HTTP, which a phone in the same network uses. */
function makeKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
