/** Something that happened to the page or the machine, outside the connection. @publicApi */
export type EnvironmentEvent = 'online' | 'offline' | 'visible';

/** What the client takes from the runtime. Replace parts of it in tests, or where a runtime has its own. @publicApi */
export interface Platform {
  /** The current time in ms. */
  now(): number;
  /** A number in [0, 1), for jitter. */
  random(): number;
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(handle: unknown): void;
  /**
   * Reports what happens to the page or the machine.
   *
   * @returns ends the reports
   */
  watch(listener: (event: EnvironmentEvent) => void): () => void;
}

/** What a page has and other runtimes lack. */
interface PageGlobals {
  document?: { visibilityState: string };
  addEventListener?(type: string, listener: (event: { type: string }) => void): void;
  removeEventListener?(type: string, listener: (event: { type: string }) => void): void;
}

const PAGE_EVENTS = ['online', 'offline', 'visibilitychange'];

/** The runtime's own clock, timers and events. */
export const defaultPlatform: Platform = {
  // Not performance.now(): that stands still while the machine sleeps, and a publication must not wake up young.
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
  watch: watchPage,
};

/** Browsers tell when the network comes and goes and when the page is looked at again. Elsewhere nothing is reported. */
function watchPage(listener: (event: EnvironmentEvent) => void): () => void {
  const page = globalThis as PageGlobals;
  const handler = ({ type }: { type: string }): void => {
    if (type !== 'visibilitychange') listener(type as EnvironmentEvent);
    else if (page.document?.visibilityState === 'visible') listener('visible');
  };
  for (const type of PAGE_EVENTS) page.addEventListener?.(type, handler);
  return () => {
    for (const type of PAGE_EVENTS) page.removeEventListener?.(type, handler);
  };
}
