import { inTime } from '../hub/in-time';

/** Channels that are being joined at a time. */
const AT_ONCE = 16;

/** A connection that has not been greeted yet: what it is sent waits in its queue. */
export interface Ungreeted {
  readonly open: boolean;
  /** Whether so many frames more would find room in the queue. */
  hasRoomFor(frames: number): boolean;
  /** Sends what waits, and resolves when the client has caught up, or the connection ended. */
  caughtUp(): Promise<void>;
  /** Resolves when somebody waits for the client to catch up, which it cannot before it is greeted. */
  pressed(): Promise<void>;
}

/**
 * Joins channels for a client that is about to be greeted, and resolves when it should be: when all are joined, when they have so
 * much to say that the client has to be reading by now, or when one takes so long that the others should not wait for it. The
 * rest is then joined at the client's pace.
 *
 * @param patience how long one may take, in ms
 */
export async function joinChannels(
  connection: Ungreeted,
  channels: readonly string[],
  patience: number,
  subscribe: (channel: string) => Promise<void>,
): Promise<void> {
  if (!connection.open || channels.length === 0) return;
  const pressed = connection.pressed();
  const joined = joinAll(connection, channels, subscribe);
  await inTime<unknown>(Promise.race([joined, pressed]), patience, () => undefined);
}

async function joinAll(
  connection: Ungreeted,
  channels: readonly string[],
  subscribe: (channel: string) => Promise<void>,
): Promise<void> {
  const rest = channels.values();
  let running = 0;
  const joinNext = async (): Promise<void> => {
    for (const channel of rest) {
      // Each is answered by a frame, and for a queue that is full nobody but the server would be to blame.
      if (!connection.hasRoomFor(running + 1)) await connection.caughtUp();
      if (!connection.open) return;
      running++;
      await subscribe(channel);
      running--;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, channels.length) }, joinNext));
}
