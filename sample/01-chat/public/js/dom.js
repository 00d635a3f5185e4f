/** Makes an element. Text always goes in as text: nothing that people write is ever read as markup. */
export function el(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

export const $ = (id) => document.getElementById(id);

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** How many colours base.css has for names. */
const TINTS = 10;

/** The same name has the same colour for everybody. */
export function tintOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % TINTS;
}

export function avatar(name, className = '') {
  return el('span', { className: `avatar tint-${tintOf(name)} ${className}`, text: initials(name), 'aria-hidden': 'true' });
}

function initials(name) {
  const words = name.split(/[ ._-]+/).filter((word) => word !== '');
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters.map((word) => (word ? [...word][0] : '')).join('').toUpperCase();
}

/** A text as nodes, its web addresses as links. */
export function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/).map((part, index) => {
    if (index % 2 === 0) return document.createTextNode(part);
    return el('a', { text: part, href: part, target: '_blank', rel: 'noopener noreferrer nofollow' });
  });
}
