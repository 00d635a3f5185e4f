import { $ } from './dom.js';

/** After being back, it is said for so long, in ms. */
const BACK_TIME = 3_000;

/** Shows how the connection is: a pill, and a banner when it matters. */
export class Status {
  #connection;
  #clock;
  #hasBeenOnline = false;
  #wasLost = false;
  #backAt = -Infinity;
  /** Whether it has been said that the server cannot be reached; it stays until that is over. */
  #unreachable = false;

  constructor(connection) {
    this.#connection = connection;
    connection.addEventListener('state', () => this.#onState());
    addEventListener('offline', () => this.render());
    addEventListener('online', () => this.render());
    $('status').addEventListener('click', () => connection.retryNow());
  }

  render() {
    const { state } = this.#connection;
    const [kind, text, hint] = this.#describe(state);
    const pill = $('status');
    pill.dataset.kind = kind;
    pill.disabled = state !== 'waiting' && state !== 'restarting' && state !== 'stopped';
    pill.title = hint;
    setText($('status-text'), text);
    this.#renderBanner(state);
  }

  #onState() {
    const { state } = this.#connection;
    clearInterval(this.#clock);
    if (state === 'waiting' || state === 'restarting') this.#clock = setInterval(() => this.render(), 500);
    if (state === 'online' && this.#wasLost) this.#sayBack();
    if (state === 'online') this.#hasBeenOnline = true;
    if (state === 'online' || state === 'stopped') this.#unreachable = false;
    this.#wasLost = this.#hasBeenOnline && state !== 'online';
    this.render();
  }

  #sayBack() {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.render(), BACK_TIME);
    this.#backAt = Date.now();
  }

  #describe(state) {
    const seconds = Math.max(0, Math.ceil((this.#connection.retryAt - Date.now()) / 1000));
    switch (state) {
      case 'online':
        return Date.now() - this.#backAt < BACK_TIME ? ['good', 'Back online', ''] : ['good', 'Connected', ''];
      case 'restarting':
        return ['busy', 'Server restarting', 'The server is restarting; this page comes back by itself'];
      case 'waiting':
        if (!navigator.onLine) return ['bad', 'Offline', 'This device has no network'];
        return ['busy', seconds > 1 ? `Retry in ${seconds} s` : 'Reconnecting…', 'Try again now'];
      case 'stopped':
        return ['bad', 'Connect again', 'The server ended the connection'];
      default:
        return ['busy', this.#hasBeenOnline ? 'Reconnecting…' : 'Connecting…', ''];
    }
  }

  #renderBanner(state) {
    const banner = $('banner');
    const text = this.#bannerText(state);
    banner.hidden = text === '';
    banner.dataset.kind = state === 'stopped' ? 'bad' : 'busy';
    setText(banner, text);
  }

  #bannerText(state) {
    const { problem, retryAt } = this.#connection;
    if (state === 'stopped') return `Disconnected: ${problem}.`;
    if (state !== 'waiting' && state !== 'restarting' && state !== 'connecting') return '';
    if (!navigator.onLine) return 'You are offline. What you write is sent when you are back.';
    // A short break is the pill's business alone.
    if (state === 'waiting' && retryAt - Date.now() > 2_000) this.#unreachable = true;
    return this.#unreachable ? 'The server cannot be reached. What you write is sent when it is back.' : '';
  }
}

/** The same text again would be read out again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
