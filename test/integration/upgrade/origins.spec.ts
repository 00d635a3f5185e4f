import type { IncomingMessage } from 'node:http';
import { apiKeys, type OriginOption } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { rawUpgrade } from '../../support/raw-socket';

describe.each(PLATFORMS)('origins over %s', (platform) => {
  let app: TestApp;
  let asked: number;
  let logger: RecordingLogger;

  const start = async (origins?: OriginOption): Promise<void> => {
    asked = 0;
    logger = new RecordingLogger();
    const known = apiKeys({ 'key-a': 'alice' });
    const authenticate: typeof known.authenticate = (credentials) => {
      asked++;
      return known.authenticate(credentials);
    };
    app = await createApp({
      platform,
      realtime: { origins, auth: { authenticator: { authenticate } } },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(() => app.close());

  const statusFor = async (origin: string | undefined, host = 'app.example.com'): Promise<number> => {
    const headers = { Host: host, Origin: origin, Authorization: 'Bearer key-a' };
    return (await rawUpgrade(app.port, '/ws', headers)).status;
  };

  it('CHECKLIST 6: an origin that is not allowed is refused with 403 before authentication', async () => {
    await start(['https://app.example.com']);
    const answer = await rawUpgrade(app.port, '/ws', { Origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toEqual({ statusCode: 403, error: 'Forbidden', message: 'Origin not allowed' });
    expect(asked).toBe(0);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('CHECKLIST 6: without a list only the same origin may connect', async () => {
    await start();
    expect(await statusFor('https://app.example.com')).toBe(101);
    expect(await statusFor('http://app.example.com')).toBe(101);
    expect(await statusFor('https://app.example.com', 'app.example.com:443')).toBe(101);
    expect(await statusFor('http://localhost:3000', 'localhost:3000')).toBe(101);
    expect(await statusFor('http://localhost:3001', 'localhost:3000')).toBe(403);
    expect(await statusFor('https://evil.example')).toBe(403);
    expect(await statusFor('https://app.example.com.evil.example')).toBe(403);
    expect(await statusFor('https://evil.example/app.example.com')).toBe(403);
    expect(await statusFor('https://app.example.com@evil.example')).toBe(403);
    expect(await statusFor('null')).toBe(403);
    expect(await statusFor('')).toBe(403);
    expect(await statusFor('not a url')).toBe(403);
  });

  it('CHECKLIST 6: anything goes only when that is said', async () => {
    await start('*');
    expect(await statusFor('https://evil.example')).toBe(101);
    expect(await statusFor('null')).toBe(101);
  });

  it('lets a request without an origin, which is none of a browser, pass', async () => {
    await start([]);
    expect(await statusFor(undefined)).toBe(101);
    expect(await statusFor('https://app.example.com')).toBe(403);
  });

  it('compares a list with what browsers send, however it is written', async () => {
    await start(['https://App.Example.com', 'https://slash.example/', 'https://port.example:443', 'app://desktop', 'null']);
    expect(await statusFor('https://app.example.com')).toBe(101);
    expect(await statusFor('https://slash.example')).toBe(101);
    expect(await statusFor('https://port.example')).toBe(101);
    expect(await statusFor('app://desktop')).toBe(101);
    expect(await statusFor('null')).toBe(101);
    expect(await statusFor('https://port.example:8443')).toBe(403);
    expect(await statusFor('http://app.example.com')).toBe(403);
    expect(await statusFor('https://sub.app.example.com')).toBe(403);
  });

  it('asks a function, which may be slow', async () => {
    const seen: [string, string | undefined][] = [];
    await start(async (origin: string, request: IncomingMessage) => {
      seen.push([origin, request.url]);
      return Promise.resolve(origin.endsWith('.example.com'));
    });
    expect(await statusFor('https://a.example.com')).toBe(101);
    expect(await statusFor('https://a.example.org')).toBe(403);
    expect(seen).toEqual([
      ['https://a.example.com', '/ws'],
      ['https://a.example.org', '/ws'],
    ]);
  });

  it.each([
    ['throws', () => { throw new Error('no database'); }],
    ['rejects', async () => Promise.reject(new Error('no database'))],
  ])('refuses when the function %s, and says so in the log', async (_what, origins) => {
    await start(origins);
    expect(await statusFor('https://app.example.com')).toBe(403);
    expect(logger.text).toContain('no database');
    expect(asked).toBe(0);
  });

  it('refuses when the function answers nothing', async () => {
    await start((() => undefined) as unknown as OriginOption);
    expect(await statusFor('https://app.example.com')).toBe(403);
  });
});
