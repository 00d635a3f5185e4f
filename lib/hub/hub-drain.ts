import { CloseCode } from '../protocol/close-codes';
import type { Connection } from './connection';
import type { ConnectionRegistry } from './connection-registry';
import type { ConnectionLifecycle } from './connection-lifecycle';
import type { ShutdownSettings } from './hub-settings';

/** Connections closed in one turn of the event loop. */
const SLICE = 500;

/** Sends every client away: advice when to come back first, then close frames in slices, then the hooks. */
export async function drainHub(
  connections: ConnectionRegistry,
  lifecycle: ConnectionLifecycle,
  settings: ShutdownSettings,
): Promise<void> {
  const leaving = [...connections.values()];
  for (const connection of leaving) adviseReconnect(connection, settings.reconnectSpread);
  // The advice goes out with this turn's writes, before the close frames of the next.
  await nextTurn();
  for (let i = 0; i < leaving.length; i += SLICE) {
    for (const connection of leaving.slice(i, i + SLICE)) connection.close(CloseCode.GoingAway, 'server shutting down');
    await nextTurn();
  }
  for (const connection of connections.values()) lifecycle.end(connection, { code: CloseCode.GoingAway, reason: '' });
  await lifecycle.hooks.idle();
  await lifecycle.settled();
}

/** Each client gets its own delay, so that they do not all come back at once. */
function adviseReconnect(connection: Connection, spread: number): void {
  connection.sendMessage({ type: 'draining', data: { reconnectAfter: Math.round(Math.random() * spread) } });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
