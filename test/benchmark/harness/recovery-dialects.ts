import { DIALECTS } from './dialects';
import type { Dialect } from './raw-client';

/** What a client has to remember in order to come back. */
export interface Memory {
  /** Of the session, where there are sessions. */
  pid?: string;
  /** Position of the last message. */
  offset?: string;
}

/** How a kind of server is asked to continue. */
export interface RecoveryDialect {
  /** Connects for the first time. */
  first(memory: Memory): Dialect;
  /** Position out of a message. */
  offsetOf(text: string): string | undefined;
  /** Comes back. */
  again(memory: Memory): Dialect;
}

const { realtime, socketIo } = DIALECTS as { realtime: Dialect; socketIo: Dialect };

export const RECOVERY_DIALECTS: Readonly<Record<string, RecoveryDialect>> = {
  realtime: {
    first: () => realtime,
    offsetOf: (text) => (JSON.parse(text) as { cursor?: string }).cursor,
    again: ({ offset }) => ({
      ...realtime,
      hello: (channels) => channels.map((channel) => JSON.stringify({ type: 'subscribe', channel, cursor: offset })),
    }),
  },
  socketIo: {
    first: (memory) => ({
      ...socketIo,
      onReply: (text) => {
        if (text.startsWith('40{')) memory.pid = (JSON.parse(text.slice(2)) as { pid?: string }).pid;
      },
    }),
    offsetOf: (text) => (text.startsWith('42[') ? (JSON.parse(text.slice(2)) as string[]).at(-1) : undefined),
    // Rooms come back with the session.
    again: ({ pid, offset }) => ({
      ...socketIo,
      hello: () => [`40${JSON.stringify({ pid, offset })}`],
      follow: () => [],
      repliesExpected: () => 2,
    }),
  },
};
