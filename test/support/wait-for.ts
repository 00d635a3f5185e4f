const DEADLINE = 10_000;
const PAUSE = 5;

/** Polls until the condition gives something, and returns it. Fails after a deadline that only a broken program reaches. */
export async function waitFor<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + DEADLINE;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${DEADLINE} ms`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** A promise that is settled from outside. */
export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
