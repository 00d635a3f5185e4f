const BASE = 1_000;
const CAP = 30_000;
/** Even the luckiest attempt leaves a server that is just starting a moment. */
const LEAST = 200;

/**
 * How long to wait before an attempt: anything up to a limit that doubles with each one ("full jitter"), so that the
 * clients of a server that went away do not come back all at once.
 *
 * @param attempt 0 for the first
 * @returns ms
 */
export function backoff(attempt, random = Math.random) {
  const limit = Math.min(CAP, BASE * 2 ** Math.min(attempt, 10));
  return Math.round(LEAST + random() * (limit - LEAST));
}
