import { $, avatar, el } from './dom.js';

/** Who is in a room, by connection: somebody with two tabs is there once, and gone with the second. */
export class Members {
  #names = new Map();

  get names() {
    return [...new Set(this.#names.values())].toSorted((a, b) => a.localeCompare(b));
  }

  has(name) {
    return [...this.#names.values()].includes(name);
  }

  reset(members) {
    this.#names = new Map(members.map(({ connectionId, info }) => [connectionId, nameIn(info)]));
  }

  /** @returns the name, when nobody of that name was there before */
  add({ connectionId, info }) {
    const name = nameIn(info);
    const isNew = !this.has(name);
    this.#names.set(connectionId, name);
    return isNew ? name : undefined;
  }

  /** @returns the name, when nobody of that name is left */
  remove({ connectionId, info }) {
    const name = this.#names.get(connectionId) ?? nameIn(info);
    const wasThere = this.#names.delete(connectionId);
    return wasThere && !this.has(name) ? name : undefined;
  }
}

function nameIn(info) {
  return info?.name ?? 'Somebody';
}

/** Draws the list of members. */
export function renderMembers(room, myName) {
  const names = room.members.names;
  $('members-title').textContent = `Here now — ${names.length}`;
  $('member-count').textContent = names.length;
  $('open-members').setAttribute('aria-label', `Members: ${names.length}`);
  // Yourself first: that is where one looks to see whether one is in.
  const sorted = [...names.filter((name) => name === myName), ...names.filter((name) => name !== myName)];
  $('member-list').replaceChildren(
    ...sorted.map((name) => {
      const item = el('li', { className: 'member' }, avatar(name), el('span', { className: 'member-name', text: name }));
      if (name === myName) item.append(el('span', { className: 'you', text: 'you' }));
      else if (room.typing.has(name)) item.append(el('span', { className: 'member-typing', text: 'typing…' }));
      return item;
    }),
  );
}
