import { connect, ConnectionView } from '/shared/connection.js';
import { Terminal } from './terminal.js';

const $ = (id) => document.getElementById(id);

const STATES = { idle: '', connecting: 'Connecting…', online: 'Live', restarting: 'Server restarting', waiting: 'Reconnecting…' };

/** What the server knows of its processes, newest first, by id; and the titles of the jobs. */
let runs = new Map();
const titles = new Map();
const terminal = new Terminal();
let channel;

await readJobs();
const client = connect('/ws');
const view = new ConnectionView();

view.addEventListener('state', () => {
  const { state, problem } = view;
  $('connection').dataset.state = state;
  $('connection').textContent = STATES[state] ?? `Disconnected: ${problem}`;
  // What was started or has ended while we were away.
  if (state === 'online') void readRuns();
});
view.follow(client);
client.on('message', (data, { type }) => {
  if (type !== 'process:started' && type !== 'process:ended') return;
  if (runs.has(data.id)) runs.set(data.id, data);
  else runs = new Map([[data.id, data], ...runs]);
  drawRuns();
});

$('stop').addEventListener('click', () => void fetch(`/api/processes/${currentId()}`, { method: 'DELETE' }));
addEventListener('hashchange', watchCurrent);

watchCurrent();

async function readJobs() {
  const jobs = await (await fetch('/api/jobs')).json();
  for (const { name, title, description } of jobs) {
    titles.set(name, title);
    const button = document.createElement('button');
    button.type = 'button';
    button.append(textElement('strong', title), textElement('span', description));
    button.addEventListener('click', () => void start(name));
    $('jobs').append(button);
  }
}

async function readRuns() {
  try {
    const list = await (await fetch('/api/processes')).json();
    runs = new Map(list.map((run) => [run.id, run]));
    drawRuns();
  } catch {
    // The connection will be back, and this with it.
  }
}

async function start(job) {
  $('start-error').textContent = '';
  try {
    const response = await fetch('/api/processes', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ job }),
    });
    const answer = await response.json();
    if (response.ok) location.hash = answer.id;
    else $('start-error').textContent = answer.message;
  } catch {
    $('start-error').textContent = 'The server cannot be reached.';
  }
}

function currentId() {
  return location.hash.slice(1);
}

/** Follows the process that the address names, from the first line that the server still has. */
function watchCurrent() {
  if (channel) client.removeChannel(channel.name);
  channel = undefined;
  terminal.clear(currentId());
  drawRuns();
  if (currentId() === '') return;
  const opened = client.channel(`process:${currentId()}`);
  channel = opened;
  channel.on('subscribed', ({ data }) => terminal.open(titles.get(data.job) ?? data.job, data));
  // The server may have been restarted, and the process with it.
  channel.on('reset', () => terminal.note('Some output may be missing here.'));
  channel.onMessage('process_output', (line) => terminal.write(line));
  channel.onMessage('process_status', (status) => terminal.end(status));
  channel.on('unsubscribed', ({ error }) => error && terminal.refuse(error.message));
  channel.subscribe({ replay: 1000 }).catch((error) => {
    if (channel === opened) terminal.refuse(error.message);
  });
}

function drawRuns() {
  $('no-runs').hidden = runs.size > 0;
  $('runs').replaceChildren(
    ...[...runs.values()].map((run) => {
      const link = document.createElement('a');
      link.href = `#${run.id}`;
      if (run.id === currentId()) link.setAttribute('aria-current', 'page');
      const light = textElement('span', '');
      light.className = `light ${lightOf(run)}`;
      light.setAttribute('aria-hidden', 'true');
      const state = textElement('span', describe(run));
      state.className = 'run-state';
      link.append(light, textElement('strong', titles.get(run.job) ?? run.job), textElement('code', run.id), state);
      const item = document.createElement('li');
      item.append(link);
      return item;
    }),
  );
}

function lightOf({ status, exitCode }) {
  if (status === 'running') return 'is-running';
  return status === 'exited' && exitCode === 0 ? 'is-good' : 'is-bad';
}

function describe({ status, exitCode }) {
  return status === 'exited' ? `exit ${exitCode}` : status;
}

function textElement(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
