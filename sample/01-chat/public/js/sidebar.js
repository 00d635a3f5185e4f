import { $, el } from './dom.js';

const ROOM_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** Makes what somebody typed into the name of a room: "Book club!" is `book-club`. */
export function toRoomName(text) {
  return text.trim().toLowerCase().replaceAll(/[\s_]+/g, '-').replaceAll(/[^a-z0-9-]/g, '').replaceAll(/^-+|-+$/g, '').slice(0, 32);
}

export const isRoomName = (name) => ROOM_NAME.test(name);

/** The list of rooms. `rooms` are those that the server lists, `joined` those that this visitor is in. */
export function renderRooms({ rooms, joined, current }) {
  const extra = [...joined.keys()].filter((name) => !rooms.has(name));
  const listed = [...rooms.values(), ...extra.map((name) => ({ name, members: 0, permanent: false }))];
  const shown = listed.filter(({ name, members, permanent }) => permanent || members > 0 || joined.has(name));
  shown.sort((a, b) => Number(b.permanent) - Number(a.permanent) || (a.permanent ? 0 : a.name.localeCompare(b.name)));
  $('rooms').replaceChildren(...shown.map((room) => roomItem(room, joined.get(room.name), room.name === current)));
  const elsewhere = [...joined.values()].some(({ name, unread }) => unread > 0 && name !== current);
  $('unread-elsewhere').hidden = !elsewhere;
}

function roomItem({ name, members }, room, isCurrent) {
  const unread = room?.unread ?? 0;
  const people = members === 1 ? '1 person' : `${members} people`;
  const link = el(
    'a',
    {
      className: `room-link ${room ? 'is-joined' : ''} ${unread > 0 ? 'has-unread' : ''}`,
      href: `#${name}`,
      'aria-current': isCurrent && 'page',
      'aria-label': unread > 0 ? `${name}, ${unread} unread, ${people}` : `${name}, ${people}`,
    },
    el('span', { className: 'room-hash', text: '#', 'aria-hidden': 'true' }),
    el('span', { className: 'room-name', text: name }),
  );
  if (unread > 0) link.append(el('span', { className: 'badge', text: unread > 99 ? '99+' : unread }));
  else if (members > 0) link.append(el('span', { className: 'room-count', text: members }));
  return el('li', {}, link);
}
