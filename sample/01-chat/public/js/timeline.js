import { $, avatar, el, icon, withLinks } from './dom.js';
import { dayKey, formatDay, formatFull, formatTime } from './time.js';

/** Messages of one person within this time stand together, in ms. */
const GROUP_TIME = 5 * 60_000;
/** So near its end the list is taken to be at its end, in pixels. */
const NEAR = 80;

/** Draws the messages of the room that is open, and keeps the place in them. */
export class Timeline {
  #room;
  #rows = new Map();
  #list = $('timeline');
  #scroller = $('scroller');
  #missed = 0;
  #myName;

  constructor() {
    this.#scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    $('jump').addEventListener('click', () => this.scrollToEnd());
    // A keyboard that opens on a phone, or a narrower window, must not hide the newest message.
    let atEnd = true;
    this.#scroller.addEventListener('scroll', () => (atEnd = this.#atEnd), { passive: true });
    new ResizeObserver(() => atEnd && this.scrollToEnd()).observe(this.#scroller);
  }

  /** Shows another room, at its newest message. */
  open(room, myName) {
    this.#room = room;
    this.#myName = myName;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.render();
    this.scrollToEnd();
  }

  render() {
    const room = this.#room;
    const follow = this.#atEnd;
    // A screen reader reads what is said from now on, not everything that was ever said.
    this.#list.setAttribute('aria-busy', String(!room.caughtUp));
    this.#renderEmpty(room);
    this.#place(this.#layOut(room));
    if (follow) this.scrollToEnd();
  }

  /** A message has come: when one is reading further up, it is announced instead of scrolled to. */
  noteMessage(message) {
    if (this.#atEnd || message.name === this.#myName) return;
    this.#missed++;
    this.#renderJump();
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#missed = 0;
    this.#renderJump();
  }

  get #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #onScroll() {
    if (this.#atEnd) this.#missed = 0;
    this.#renderJump();
  }

  #renderJump() {
    const hidden = this.#atEnd;
    $('jump').hidden = hidden;
    const { length } = String(this.#missed);
    $('jump-text').textContent = this.#missed > 0 && length < 4 ? `${this.#missed} new` : 'Latest';
  }

  /** What stands in the list, in order: each with a key that keeps its element, and how to make it. */
  #layOut(room) {
    const rows = room.empty ? [] : [{ key: 'intro', variant: '', make: () => introRow(room.name) }];
    let previous;
    const outgoing = [...room.outgoing.values()].map((message) => ({ ...message, kind: 'message', id: message.key, outgoing: true }));
    for (const item of [...room.items, ...outgoing]) {
      const newDay = !previous || dayKey(previous.at) !== dayKey(item.at);
      if (newDay) rows.push({ key: `day ${dayKey(item.at)}`, variant: '', make: () => dayRow(item.at) });
      rows.push(this.#rowOf(item, newDay ? undefined : previous));
      previous = item;
    }
    return rows;
  }

  #rowOf(item, previous) {
    if (item.kind === 'notice') return { key: item.id, variant: '', make: () => noticeRow(item) };
    if (item.kind === 'gap') return { key: item.id, variant: '', make: gapRow };
    const joined = previous?.kind === 'message' && previous.name === item.name && item.at - previous.at < GROUP_TIME;
    const variant = `${joined} ${item.outgoing ?? false} ${item.problem ?? ''}`;
    return { key: item.id, variant, make: () => this.#messageRow(item, joined) };
  }

  #messageRow(item, joined) {
    const mine = item.name === this.#myName;
    const state = item.problem ? 'failed' : item.outgoing ? 'sending' : '';
    const time = el('time', { text: formatTime(item.at), datetime: item.at.toISOString(), title: formatFull(item.at) });
    const text = el('div', { className: 'message-text' }, ...withLinks(item.text));
    const row = el('li', { className: `message ${joined ? 'joined' : ''} ${state}` });
    if (joined) {
      row.append(el('span', { className: 'message-side' }, time));
    } else {
      row.append(avatar(item.name, 'message-side'));
      const author = el('div', { className: 'message-author' }, el('span', { className: 'author-name', text: item.name }));
      if (mine) author.append(el('span', { className: 'you', text: 'you' }));
      author.append(time);
      row.append(author);
    }
    row.append(text);
    if (item.problem) row.append(this.#failure(item));
    return row;
  }

  #failure({ key, problem }) {
    const again = el('button', { type: 'button', className: 'link-button', text: 'Try again' });
    again.addEventListener('click', () => this.#room.retry(key));
    const discard = el('button', { type: 'button', className: 'link-button', text: 'Discard' });
    discard.addEventListener('click', () => this.#room.discard(key));
    return el('div', { className: 'message-problem' }, icon('alert'), el('span', { text: `Not sent: ${problem}.` }), again, discard);
  }

  /** Brings the list to hold these rows: what is there and unchanged is not touched, so nothing is read out twice. */
  #place(rows) {
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, { element }] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    let next = this.#list.firstChild;
    for (const { key, variant, make } of rows) {
      const kept = this.#rows.get(key);
      if (kept?.variant === variant) {
        if (kept.element === next) next = next.nextSibling;
        else this.#list.insertBefore(kept.element, next);
        continue;
      }
      const element = make();
      if (kept) {
        if (kept.element === next) next = next.nextSibling;
        kept.element.remove();
      }
      this.#list.insertBefore(element, next);
      this.#rows.set(key, { variant, element });
    }
  }

  #renderEmpty(room) {
    const empty = $('empty');
    empty.hidden = !room.empty;
    if (empty.hidden) return;
    const [title, text] = emptyText(room);
    const key = `${title}${text}`;
    if (empty.dataset.shows === key) return;
    empty.dataset.shows = key;
    empty.replaceChildren(icon(room.status === 'closed' ? 'alert' : 'bubble'), el('p', { className: 'empty-title', text: title }), el('p', { text }));
  }
}

function emptyText(room) {
  if (room.status === 'closed') return ['You are not in this room', `${room.problem}.`];
  if (room.status === 'joining') return [`Entering ${room.name}…`, 'One moment.'];
  return ['Nothing said yet', 'Be the first: what you write stays here for a day.'];
}

function introRow(name) {
  return el(
    'li',
    { className: 'intro' },
    el('p', { className: 'intro-title', text: `This is #${name}` }),
    el('p', { text: 'The last 100 messages are kept here, for a day after the last one.' }),
  );
}

function dayRow(date) {
  return el('li', { className: 'day' }, el('span', { text: formatDay(date) }));
}

function noticeRow({ text, at }) {
  return el('li', { className: 'notice' }, el('span', { text }), el('time', { text: formatTime(at), datetime: at.toISOString() }));
}

function gapRow() {
  return el('li', { className: 'gap' }, icon('alert'), el('span', {
    text: 'Back again, but the server could not replay what was said in the meantime. Something may be missing here.',
  }));
}
