import { $ } from './dom.js';

/** As in say.dto.ts. The server has the last word; this only counts. */
const MAX_LENGTH = 1000;
/** The count is shown when so few characters are left. */
const SHOW_COUNT = 100;

/** The field that messages are written in. Events: `say` (`detail` is the text) and `typing`. */
export class Composer extends EventTarget {
  #field = $('message');
  /** What was begun in each room, and not sent. */
  #drafts = new Map();
  #room = '';

  constructor() {
    super();
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => this.#onKey(event));
    this.#field.addEventListener('input', () => this.#onInput());
  }

  open(room) {
    this.#drafts.set(this.#room, this.#field.value);
    this.#room = room;
    this.#field.value = this.#drafts.get(room) ?? '';
    this.#field.placeholder = `Message #${room}`;
    $('message-label').textContent = `Message ${room}`;
    this.showProblem('');
    this.#fit();
  }

  focus() {
    this.#field.focus();
  }

  /** Gives a text back that the server did not take, unless something else has been begun. */
  giveBack(room, text, problem) {
    if (room !== this.#room) {
      this.#drafts.set(room, text);
      return;
    }
    if (this.#field.value === '') this.#field.value = text;
    this.#fit();
    this.showProblem(problem);
    this.focus();
  }

  showProblem(problem) {
    const error = $('composer-error');
    error.textContent = problem;
    error.hidden = problem === '';
    this.#field.toggleAttribute('aria-invalid', problem !== '');
  }

  #submit() {
    const text = this.#field.value.trim();
    if (text === '') return;
    this.#field.value = '';
    this.showProblem('');
    this.#fit();
    this.dispatchEvent(new CustomEvent('say', { detail: text }));
  }

  /** Enter sends and Shift+Enter breaks the line, but not while an input method composes a character. */
  #onKey(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #onInput() {
    this.showProblem('');
    this.#fit();
    if (this.#field.value.trim() !== '') this.dispatchEvent(new Event('typing'));
  }

  /** The field is as high as its text, within limits that the style sheet sets. */
  #fit() {
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    const left = MAX_LENGTH - this.#field.value.trim().length;
    const counter = $('counter');
    counter.hidden = left > SHOW_COUNT;
    counter.textContent = left < 0 ? `${-left} too many` : `${left} left`;
    counter.classList.toggle('is-over', left < 0);
  }
}

/** Says who is typing. */
export function typingText(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return 'Several people are typing…';
}
