import { createApp, type Platform, type TestApp, type TestAppOptions } from './create-app';

/**
 * Starts applications within a test, and closes them after it.
 *
 * @param platform of those that do not name one
 */
export function testApps(platform: Platform = 'express'): (options?: TestAppOptions) => Promise<TestApp> {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });
  return async (options) => {
    const app = await createApp({ platform, ...options });
    running.push(app);
    return app;
  };
}
