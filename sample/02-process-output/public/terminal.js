const $ = (id) => document.getElementById(id);

/** Lines that the page keeps. */
const MAX_LINES = 5_000;
/** So near its end the screen is taken to be at its end, in pixels. */
const NEAR = 40;

/** A screen that lines run down on. It follows them, unless one has scrolled up to read. */
export class Terminal {
  #screen = $('screen');
  #lines = $('lines');
  #drawing = false;
  #queue = [];

  constructor() {
    $('follow').addEventListener('click', () => this.#toEnd());
    this.#screen.addEventListener('scroll', () => ($('follow').hidden = this.#atEnd), { passive: true });
  }

  clear(id) {
    this.#queue = [];
    this.#lines.replaceChildren();
    $('terminal-title').textContent = id === '' ? 'No process' : id;
    $('prompt').textContent = id === '' ? 'Choose a process, or start one.' : 'Waiting for output…';
    $('prompt').hidden = false;
    $('stop').hidden = true;
    $('follow').hidden = true;
    this.#setStatus('', '');
  }

  /** Shows how the process is; what it has written follows. */
  open(title, process) {
    $('terminal-title').textContent = `${title} ${process.id}`;
    if (process.status !== 'running') {
      this.end(process);
      return;
    }
    $('stop').hidden = false;
    this.#setStatus('running', 'Running');
  }

  write(text) {
    this.#add(text, '');
  }

  /** A line of the page's own. */
  note(text) {
    this.#add(text, 'note');
  }

  end({ status, exitCode }) {
    $('stop').hidden = true;
    if (status === 'exited') this.#setStatus(exitCode === 0 ? 'good' : 'bad', `Exited with code ${exitCode}`);
    else this.#setStatus('bad', status === 'stopped' ? 'Stopped' : 'Failed');
  }

  /** The server does not have the process, or no more. */
  refuse(message) {
    $('prompt').textContent = message;
    $('prompt').hidden = false;
    $('stop').hidden = true;
    this.#setStatus('', '');
  }

  get #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#screen;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  /** Lines come faster than the screen is drawn: those of one frame go in together. */
  #add(text, className) {
    this.#queue.push({ text, className });
    if (this.#drawing) return;
    this.#drawing = true;
    // Not requestAnimationFrame, which stands still in a tab that nobody looks at while the lines keep coming.
    setTimeout(() => this.#draw(), 16);
  }

  #draw() {
    this.#drawing = false;
    const follow = this.#atEnd;
    const lines = this.#queue.splice(0).map(({ text, className }) => {
      const line = document.createElement('li');
      line.textContent = text;
      line.className = className;
      return line;
    });
    this.#lines.append(...lines);
    while (this.#lines.childElementCount > MAX_LINES) this.#lines.firstElementChild.remove();
    if (lines.length > 0) $('prompt').hidden = true;
    if (follow) this.#toEnd();
  }

  #toEnd() {
    this.#screen.scrollTop = this.#screen.scrollHeight;
  }

  #setStatus(kind, text) {
    $('status').dataset.kind = kind;
    $('status').textContent = text;
  }
}
