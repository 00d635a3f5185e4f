import { CloseCode } from '../protocol/close-codes';
import type { Connection } from './connection';
import type { ConnectionRegistry } from './connection-registry';
import type { ConnectionLifecycle } from './connection-lifecycle';
import type { ShutdownSettings } from './hub-settings';

/** Connections told, or closed, in one turn of the event loop. */
const SLICE = 500;

/** Sends every client away: advice when to come back first, then close frames, both in slices; then the hooks. */
export async function drainHub(
  connections: ConnectionRegistry,
  lifecycle: ConnectionLifecycle,
  settings: ShutdownSettings,
): Promise<void> {
  const leaving = [...connections.values()];
  // The advice goes out with its turn's writes, before the close frames of a later one.
  await inSlices(leaving, (connection) => adviseReconnect(connection, settings.reconnectSpread));
  await inSlices(leaving, (connection) => connection.close(CloseCode.GoingAway, 'server shutting down'));
  for (const connection of connections.values()) lifecycle.end(connection, { code: CloseCode.GoingAway, reason: '' });
  await lifecycle.hooks.idle();
  await lifecycle.settled();
}

/** One slice a turn: what is still being done for clients goes on in between. */
async function inSlices(connections: readonly Connection[], act: (connection: Connection) => void): Promise<void> {
  for (let i = 0; i < connections.length; i += SLICE) {
    for (const connection of connections.slice(i, i + SLICE)) act(connection);
    await nextTurn();
  }
}

/** Each client gets its own delay, so that they do not all come back at once. */
function adviseReconnect(connection: Connection, spread: number): void {
  connection.sendMessage({ type: 'draining', data: { reconnectAfter: Math.round(Math.random() * spread) } });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
