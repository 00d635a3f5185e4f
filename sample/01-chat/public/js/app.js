import { connect, ConnectionView } from '/shared/connection.js';
import { Composer, typingText } from './composer.js';
import { $, avatar } from './dom.js';
import { closeDrawers, setUpDrawers } from './drawers.js';
import { currentName, keepName, lastName, problemWith, tidyName } from './identity.js';
import { renderMembers } from './members.js';
import { Room } from './room.js';
import { isRoomName, renderRooms, toRoomName } from './sidebar.js';
import { Status } from './status.js';
import { Timeline } from './timeline.js';

const FIRST_ROOM = 'lobby';

let myName = currentName();
/** The rooms that the server lists, and those that we are in, by name. */
const rooms = new Map();
const joined = new Map();
let current;
let client;

const view = new ConnectionView();
const status = new Status(view);
const timeline = new Timeline();
const composer = new Composer();

composer.addEventListener('say', ({ detail }) => {
  current.say(detail, myName);
  timeline.scrollToEnd();
});
composer.addEventListener('typing', () => current.tellTyping());

$('entry-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = tidyName($('entry-name').value);
  const problem = problemWith(name);
  $('entry-error').textContent = problem;
  $('entry-name').toggleAttribute('aria-invalid', problem !== '');
  if (problem === '') enterAs(name);
  else $('entry-name').focus();
});
$('entry-name').addEventListener('input', () => {
  $('entry-error').textContent = '';
  $('entry-name').removeAttribute('aria-invalid');
});
$('change-name').addEventListener('click', () => {
  closeDrawers();
  showEntry();
});

$('new-room').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = toRoomName($('new-room-name').value);
  const usable = isRoomName(name);
  $('new-room-error').textContent = usable ? '' : 'Use letters, digits and dashes.';
  if (!usable) return;
  $('new-room-name').value = '';
  location.hash = name;
});
$('leave-room').addEventListener('click', leaveRoom);
$('skip-link').addEventListener('click', (event) => {
  // The address names the room, and stays.
  event.preventDefault();
  composer.focus();
});

addEventListener('hashchange', openFromAddress);
document.addEventListener('visibilitychange', readNow);

setUpDrawers();
if (myName === undefined) showEntry();
else showChat();

function showEntry() {
  $('entry').hidden = false;
  $('chat').hidden = true;
  $('entry-name').value = myName ?? lastName();
  $('entry-name').focus();
  document.title = 'Common Room';
}

function enterAs(name) {
  const renamed = myName !== undefined && myName !== name;
  myName = name;
  keepName(name);
  if (renamed) openConnection();
  showChat();
}

/** The name belongs to the handshake: another one takes another client, which continues where the last one was. */
function openConnection() {
  const last = client;
  client = connect('/ws', { name: myName });
  view.follow(client);
  for (const room of joined.values()) room.enter(client);
  const directory = client.channel('directory');
  directory.on('subscribed', ({ data }) => {
    rooms.clear();
    for (const room of data) rooms.set(room.name, room);
    drawRooms();
  });
  directory.on('message', (room) => {
    rooms.set(room.name, room);
    drawRooms();
  });
  // A client that was stopped and is back has given up what it had not yet been told of.
  client.on('state', (state) => {
    if (state === 'connected' && directory.state === 'unsubscribed') directory.subscribe().catch(() => {});
  });
  last?.close();
}

function showChat() {
  $('entry').hidden = true;
  $('chat').hidden = false;
  $('me-name').textContent = myName;
  $('me-avatar').replaceChildren(avatar(myName));
  if (!client) openConnection();
  status.render();
  openFromAddress();
}

function openFromAddress() {
  if (myName === undefined) return;
  const name = location.hash.slice(1);
  openRoom(isRoomName(name) ? name : (current?.name ?? FIRST_ROOM));
}

function openRoom(name) {
  current = joined.get(name) ?? join(name);
  if (location.hash !== `#${name}`) history.replaceState(null, '', `#${name}`);
  closeDrawers();
  composer.open(name);
  timeline.open(current, myName);
  readNow();
  drawCurrent();
  // On a phone the keyboard would cover what one came to read.
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

function join(name) {
  const room = new Room(name);
  joined.set(name, room);
  room.enter(client);
  room.addEventListener('change', () => {
    if (room === current) drawCurrent();
  });
  room.addEventListener('message', ({ detail }) => onMessage(room, detail));
  room.addEventListener('rejected', ({ detail }) => composer.giveBack(name, detail.text, detail.problem));
  return room;
}

function leaveRoom() {
  const { name } = current;
  current.close();
  joined.delete(name);
  const [next = FIRST_ROOM] = [...joined.keys()];
  if (next === name) openRoom(name);
  else location.hash = next;
}

function onMessage(room, message) {
  const reading = room === current && document.visibilityState === 'visible';
  // What is replayed on entering has been said before.
  if (!reading && room.caughtUp && message.name !== myName) room.unread++;
  if (room === current) timeline.noteMessage(message);
  drawRooms();
}

/** What is on the screen counts as read. */
function readNow() {
  if (current && document.visibilityState === 'visible') current.unread = 0;
  drawRooms();
}

function drawCurrent() {
  $('room-title').textContent = current.name;
  $('room-topic').textContent = current.topic;
  $('leave-room').hidden = joined.size < 2;
  $('typing').textContent = typingText([...current.typing.keys()]);
  renderMembers(current, myName);
  timeline.render();
}

function drawRooms() {
  renderRooms({ rooms, joined, current: current?.name });
  const unread = [...joined.values()].reduce((sum, room) => sum + room.unread, 0);
  const title = current ? `#${current.name} · Common Room` : 'Common Room';
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
}
