import type { Connection } from '../hub/connection';
import type { Frame } from '../hub/frame';
import type { HubCore } from '../hub/hub-core';

/** The `connected` frame: who the server takes the client for, and the times it keeps. */
export function greetingFor(hub: HubCore, connection: Connection, heartbeat: { interval: number; timeout: number }): Frame {
  const { interval, timeout } = heartbeat;
  const { id, user, channels } = connection;
  return hub.encode({
    type: 'connected',
    data: {
      connectionId: id,
      user: user?.id ?? null,
      heartbeat: { interval, timeout },
      expiresAt: user?.expiresAt,
      channels,
    },
  });
}
