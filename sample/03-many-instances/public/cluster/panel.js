/** How often the list is asked for, in ms. */
const INTERVAL = 1000;

/** This page's connection, as the server greeted it. */
let connectionId;

/** The chat's page is used as it is, so the panel learns which connection is its own by reading the greeting too. */
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string' || !data.startsWith('{"type":"connected"')) return;
      connectionId = JSON.parse(data).data.connectionId;
      void refresh();
    });
    this.addEventListener('close', () => {
      connectionId = undefined;
      void refresh();
    });
  }
};

const panel = element('section', 'cluster');
panel.setAttribute('aria-label', 'Instances');
const title = element('h2', 'list-title', 'Instances');
const list = element('ul', '');
panel.append(title, list);
const rows = new Map();

addEventListener('DOMContentLoaded', () => {
  const me = document.querySelector('.sidebar .me');
  if (me) me.before(panel);
  else document.body.append(panel);
  void refresh();
  setInterval(refresh, INTERVAL);
});

async function refresh() {
  try {
    const response = await fetch('/cluster/instances');
    for (const instance of await response.json()) draw(instance);
  } catch {
    for (const row of rows.values()) row.item.dataset.state = 'down';
  }
}

function draw({ id, pid, state, visitors }) {
  const row = rows.get(id) ?? addRow(id);
  const here = visitors.some((visitor) => visitor.connectionId === connectionId);
  const names = visitors.map(({ name }) => name).toSorted();
  row.item.dataset.state = state;
  row.item.toggleAttribute('data-here', here);
  row.name.textContent = here ? `Instance ${id}, serves you` : `Instance ${id}`;
  row.name.classList.toggle('cluster-here', here);
  row.name.title = pid ? `Process ${pid}` : '';
  row.kill.disabled = state !== 'up';
  row.visitors.textContent = state === 'up' ? names.join(', ') || 'nobody' : state === 'down' ? 'killed, comes back' : 'is starting';
}

function addRow(id) {
  const item = element('li', '');
  const name = element('span', '');
  const kill = element('button', '', 'Kill');
  const visitors = element('span', 'cluster-visitors');
  kill.type = 'button';
  kill.setAttribute('aria-label', `Kill instance ${id}`);
  kill.addEventListener('click', async () => {
    kill.disabled = true;
    await fetch(`/cluster/instances/${id}/kill`, { method: 'POST' });
    await refresh();
  });
  item.append(element('span', 'cluster-light'), name, kill, visitors);
  list.append(item);
  const row = { item, name, kill, visitors };
  rows.set(id, row);
  return row;
}

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
