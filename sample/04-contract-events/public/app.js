import { connect, ConnectionView } from '/shared/connection.js';

const $ = (id) => document.getElementById(id);
const STATES = { idle: '', connecting: 'Connecting…', online: 'Live', restarting: 'Server restarting', waiting: 'Reconnecting…' };
const MAX_SHOWN = 200;
const BAD_REQUEST = 400;
const PROMPT = $('hint').textContent;

const view = new ConnectionView();
const shown = new Set();
let client;

view.addEventListener('state', showState);
$('filter').addEventListener('submit', (event) => {
  event.preventDefault();
  // What is watched is in the address, so that it can be shared.
  location.hash = new URLSearchParams(new FormData($('filter')));
});
addEventListener('hashchange', watch);
watch();

function watch() {
  stop(PROMPT);
  shown.clear();
  $('events').replaceChildren();
  const wanted = Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(([, value]) => value !== ''));
  for (const input of $('filter').querySelectorAll('input')) input.value = wanted[input.name] ?? '';
  if (!wanted.contractId) return;
  $('hint').textContent = 'No events yet. Start the feeder, or wait.';
  const mine = (client = connect('/ws', wanted));
  view.follow(mine);
  // Browsers do not tell why an upgrade was refused; the same question over HTTP does.
  mine.on('state', (state) => state === 'disconnected' && readLatest(wanted, mine));
  // The server joins the channel: it knows which one from the address. After a cut the client continues it by itself.
  mine.on('subscribed', (channel, { resubscribed }) => {
    if (resubscribed) return;
    channel.onMessage('contract_event', (event) => show(event));
    channel.on('reset', () => void readLatest(wanted, mine));
    void readLatest(wanted, mine);
  });
}

/** Watches nothing any more, and says why. */
function stop(reason) {
  const last = client;
  client = undefined;
  last?.close();
  $('hint').textContent = reason;
  showState();
}

function showState() {
  const state = client ? view.state : 'idle';
  $('connection').dataset.state = state;
  $('connection').textContent = STATES[state] ?? `Disconnected: ${view.problem}`;
}

/** What was there before, from the stream itself. */
async function readLatest(wanted, mine) {
  try {
    const response = await fetch(`/api/events?${new URLSearchParams(wanted)}`);
    const answer = await response.json();
    if (mine !== client) return;
    if (response.ok) for (const { data } of answer.toReversed()) show(data);
    else if (response.status === BAD_REQUEST) stop([answer.message].flat().join('; '));
  } catch {
    // Live events come all the same.
  }
}

/** Newest first. What was read and what came live may overlap: the entry's id tells. */
function show(event) {
  if (shown.has(event.id)) return;
  shown.add(event.id);
  $('hint').textContent = '';
  const item = document.createElement('li');
  item.dataset.id = event.id;
  const [topic, ...rest] = event.topics.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  item.append(
    textElement('strong', topic ?? event.event_type),
    textElement('span', rest.join(' → '), 'topics'),
    textElement('code', JSON.stringify(event.data), 'data'),
    textElement('span', `ledger ${event.ledger_sequence} · ${event.transaction_hash.slice(0, 8)}…`, 'ledger'),
    textElement('time', timeOf(event.ledger_timestamp)),
  );
  const list = $('events');
  const before = [...list.children].find((other) => isOlder(other.dataset.id, event.id));
  list.insertBefore(item, before ?? null);
  while (list.children.length > MAX_SHOWN) {
    shown.delete(list.lastElementChild.dataset.id);
    list.lastElementChild.remove();
  }
}

/** Local time, and the text itself where it is none. */
function timeOf(timestamp) {
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? timestamp : time.toLocaleTimeString();
}

/** By the two numbers of the entries' ids. */
function isOlder(id, than) {
  const [a, b] = [id, than].map((each) => each.split('-').map(Number));
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

function textElement(tag, text, className = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}
