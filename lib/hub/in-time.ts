/**
 * Waits for `work`, but no longer than `ms`. The work itself goes on, and what becomes of it then is nobody's concern. Waiting
 * does not keep the process alive.
 *
 * @param late what takes the place of an outcome that has not come; it may throw
 */
export async function inTime<T>(work: Promise<T>, ms: number, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), ms).unref()));
  try {
    const first = await Promise.race([work.then((outcome) => ({ outcome })), timeout]);
    return first === 'late' ? late() : first.outcome;
  } finally {
    clearTimeout(timer);
  }
}
