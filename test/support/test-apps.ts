import { createApp, type TestApp, type TestAppOptions } from './create-app';

/** Starts applications within a test, and closes them after it. */
export function testApps(): (options?: TestAppOptions) => Promise<TestApp> {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });
  return async (options) => {
    const app = await createApp(options);
    running.push(app);
    return app;
  };
}
