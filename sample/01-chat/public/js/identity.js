/** The rules of visitor.dto.ts, so that a refused handshake, whose reason browsers hide, does not come to be. */
const MAX_LENGTH = 24;
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._'’-]*[\p{L}\p{M}\p{N}.])?$/u;
const KEY = 'common-room.name';

export function tidyName(name) {
  return name.trim().replaceAll(/\s+/g, ' ');
}

/** @returns what is wrong with a tidied name; empty when nothing is */
export function problemWith(name) {
  if (name === '') return 'Choose a name first.';
  if (name.length > MAX_LENGTH) return `A name can have up to ${MAX_LENGTH} characters; this one has ${name.length}.`;
  if (!NAME.test(name)) return 'Use letters, digits, spaces, dots, dashes and apostrophes.';
  return '';
}

/** The name of this tab, which a reload keeps; undefined before one is chosen. */
export function currentName() {
  const name = read(sessionStorage);
  return name !== null && problemWith(name) === '' ? name : undefined;
}

/** The name last used in this browser, to suggest it. */
export function lastName() {
  return read(localStorage) ?? '';
}

export function keepName(name) {
  for (const storage of [sessionStorage, localStorage]) {
    try {
      storage.setItem(KEY, name);
    } catch {
      // Private windows may have no storage: the name lasts as long as the page then.
    }
  }
}

function read(storage) {
  try {
    return storage.getItem(KEY);
  } catch {
    return null;
  }
}
