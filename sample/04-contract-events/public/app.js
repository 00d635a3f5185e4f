import { connect, ConnectionView } from '/shared/connection.js';

const $ = (id) => document.getElementById(id);
const STATES = { idle: '', connecting: 'Connecting…', online: 'Live', restarting: 'Server restarting', waiting: 'Reconnecting…' };
const MAX_SHOWN = 200;

const view = new ConnectionView();
const shown = new Set();
let client;

view.addEventListener('state', () => {
  const { state, problem } = view;
  $('connection').dataset.state = state;
  $('connection').textContent = STATES[state] ?? `Disconnected: ${problem}`;
});
$('filter').addEventListener('submit', (event) => {
  event.preventDefault();
  // What is watched is in the address, so that it can be shared.
  location.hash = new URLSearchParams(new FormData($('filter')));
});
addEventListener('hashchange', watch);
watch();

function watch() {
  client?.close();
  shown.clear();
  $('events').replaceChildren();
  const wanted = Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(([, value]) => value !== ''));
  for (const input of $('filter').querySelectorAll('input')) input.value = wanted[input.name] ?? '';
  if (!wanted.contractId) return;
  $('hint').textContent = 'No events yet. Start the feeder, or wait.';
  const mine = (client = connect('/ws', wanted));
  view.follow(mine);
  // The server joins the channel: it knows which one from the address. After a cut the client continues it by itself.
  mine.on('subscribed', (channel, { resubscribed }) => {
    if (resubscribed) return;
    channel.onMessage('contract_event', (event) => show(event));
    channel.on('reset', () => void readLatest(wanted, mine));
    void readLatest(wanted, mine);
  });
}

/** What was there before, from the stream itself. */
async function readLatest(wanted, mine) {
  try {
    const entries = await (await fetch(`/api/events?${new URLSearchParams(wanted)}`)).json();
    if (mine === client) for (const { data } of entries.toReversed()) show(data);
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
    textElement('time', new Date(event.ledger_timestamp).toLocaleTimeString()),
  );
  const list = $('events');
  const before = [...list.children].find((other) => isOlder(other.dataset.id, event.id));
  list.insertBefore(item, before ?? null);
  while (list.children.length > MAX_SHOWN) {
    shown.delete(list.lastElementChild.dataset.id);
    list.lastElementChild.remove();
  }
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
