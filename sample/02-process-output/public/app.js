import { Channel } from '/shared/channel.js';
import { Connection } from '/shared/connection.js';
import { Terminal } from './terminal.js';

const $ = (id) => document.getElementById(id);

const STATES = { idle: '', connecting: 'Connecting…', online: 'Live', draining: 'Server restarting', waiting: 'Reconnecting…' };

/** What the server knows of its processes, newest first, by id; and the titles of the jobs. */
let runs = new Map();
const titles = new Map();
const terminal = new Terminal();
let channel;

const connection = new Connection(() => {
  const url = new URL('/ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
});

connection.addEventListener('state', () => {
  const { state, problem } = connection;
  $('connection').dataset.state = state;
  $('connection').textContent = STATES[state] ?? `Disconnected: ${problem}`;
});
// What was started or has ended while we were away.
connection.addEventListener('open', () => void readRuns());
connection.addEventListener('frame', ({ detail: { type, data } }) => {
  if (type !== 'process:started' && type !== 'process:ended') return;
  if (runs.has(data.id)) runs.set(data.id, data);
  else runs = new Map([[data.id, data], ...runs]);
  drawRuns();
});

$('stop').addEventListener('click', () => void fetch(`/api/processes/${currentId()}`, { method: 'DELETE' }));
addEventListener('hashchange', watchCurrent);

await readJobs();
connection.start();
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
  channel?.close();
  channel = undefined;
  terminal.clear(currentId());
  drawRuns();
  if (currentId() === '') return;
  channel = new Channel(connection, `process:${currentId()}`, { replay: 1000 });
  channel.addEventListener('subscribed', ({ detail }) => {
    terminal.open(titles.get(detail.data.job) ?? detail.data.job, detail.data);
    // The server may have been restarted, and the process with it.
    if (detail.recovered === false) terminal.note('Some output may be missing here.');
  });
  channel.addEventListener('reset', () => terminal.note('Some output may be missing here.'));
  channel.addEventListener('publication', ({ detail: { type, data } }) => {
    if (type === 'process_output') terminal.write(data);
    else if (type === 'process_status') terminal.end(data);
  });
  channel.addEventListener('refused', ({ detail }) => terminal.refuse(detail.message));
  channel.open();
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
