import { defaultPlatform, type EnvironmentEvent } from '../../../lib/client/platform';

/** A browser's `window` and `document`, as far as the client looks at them. */
class FakePage extends EventTarget {
  readonly document = { visibilityState: 'visible' };
  listeners = 0;

  install(): void {
    Object.assign(globalThis, {
      document: this.document,
      addEventListener: (type: string, listener: EventListener) => {
        this.listeners++;
        this.addEventListener(type, listener);
      },
      removeEventListener: (type: string, listener: EventListener) => {
        this.listeners--;
        this.removeEventListener(type, listener);
      },
    });
  }

  uninstall(): void {
    for (const name of ['document', 'addEventListener', 'removeEventListener']) {
      delete (globalThis as Record<string, unknown>)[name];
    }
  }
}

type EventListener = Parameters<EventTarget['addEventListener']>[1];

describe('the environment of a page', () => {
  const page = new FakePage();
  beforeEach(() => page.install());
  afterEach(() => page.uninstall());

  it('tells when the network comes and goes, and when the page is looked at again', () => {
    const seen: EnvironmentEvent[] = [];
    const end = defaultPlatform.watch((event) => seen.push(event));
    for (const type of ['offline', 'online', 'visibilitychange', 'focus']) page.dispatchEvent(new Event(type));
    page.document.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual(['offline', 'online', 'visible']);
    end();
    page.dispatchEvent(new Event('online'));
    expect(seen).toHaveLength(3);
    expect(page.listeners).toBe(0);
  });
});

describe('the environment of a runtime without pages', () => {
  it('tells nothing and fails at nothing', () => {
    const end = defaultPlatform.watch(() => undefined);
    expect(end).not.toThrow();
  });

  it('has the clock, the timers and the chance of the runtime', async () => {
    expect(Math.abs(defaultPlatform.now() - Date.now())).toBeLessThan(60_000);
    expect(defaultPlatform.random()).toBeLessThan(1);
    const never = jest.fn();
    defaultPlatform.clearTimeout(defaultPlatform.setTimeout(never, 0));
    await new Promise<void>((resolve) => {
      defaultPlatform.setTimeout(resolve, 1);
    });
    expect(never).not.toHaveBeenCalled();
  });
});
