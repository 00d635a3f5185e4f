import { inspect } from 'node:util';

/**
 * Whatever was thrown, as text for the log: an error's stack, anything else as it looks. Never throws itself: it is called
 * where nobody is left to catch.
 */
export function describeError(error: unknown): string {
  if (typeof error === 'string') return error;
  try {
    return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : inspect(error);
  } catch {
    return 'something that cannot be shown';
  }
}

/** Longest part of a name that is shown, in characters. */
const MAX_SHOWN = 64;

/** What a client calls something, quoted for an error or the log: it may be as long as a message. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name);
}
