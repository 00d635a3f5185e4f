import { Controller, Get, Injectable, Module, Req, Scope, ServiceUnavailableException, UnauthorizedException, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { SignJWT } from 'jose';
import {
  anyOf,
  apiKeys,
  AuthenticationUnavailableError,
  type Authenticator,
  type AuthenticatorAnswer,
  AuthenticatorOptionsError,
  type AuthenticatorSetting,
  type AuthResult,
  bearerToken,
  BearerTokenGuard,
  type Credentials,
  InvalidAuthenticatorError,
  InvalidCredentialsError,
  jwt,
  MalformedCredentialsError,
  MissingAuthenticatorError,
  MissingCredentialsError,
  queryToken,
  QueryTokenGuard,
} from 'nestjs-realtime';
import { createApp, createUnstartedApp, PLATFORMS, type TestApp, type TestAppOptions } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { type Refusal, refusal, TestClient } from '../../support/test-client';
import { bearer, bearerProtocols } from '../../support/tokens';

const secret = 'a secret of thirty-two bytes or more';
const sign = (claims: Record<string, unknown>, key = secret): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(key));

@Injectable()
class Sessions {
  readonly users = new Map([['session-1', { userId: 'carol', roles: ['admin'] }]]);
}

@Injectable()
class SessionAuthenticator implements Authenticator {
  prepared = 0;

  constructor(private readonly sessions: Sessions) {}

  prepare(): void {
    this.prepared++;
  }

  authenticate({ token }: Credentials): AuthenticatorAnswer {
    return this.sessions.users.get(token ?? '');
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedAuthenticator implements Authenticator {
  authenticate(): string {
    return 'alice';
  }
}

@Module({ providers: [Sessions, SessionAuthenticator], exports: [Sessions, SessionAuthenticator] })
class SessionModule {}

describe.each(PLATFORMS)('authenticators over %s', (platform) => {
  let app: TestApp;
  let failures: AuthResult[];
  let logger: RecordingLogger;

  const start = async (authenticator: AuthenticatorSetting, options: TestAppOptions = {}): Promise<void> => {
    failures = [];
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      ...options,
      realtime: {
        ...options.realtime,
        auth: { authenticator, onFailure: (_request, result) => failures.push(result) },
      },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(() => app.close());

  const connect = (...args: Parameters<typeof TestClient.connect>): Promise<TestClient> =>
    TestClient.connect(args[0], { ...args[1], greeted: false });
  const greetingOf = async (...args: Parameters<typeof TestClient.connect>): Promise<Record<string, unknown>> =>
    (await (await connect(...args)).next('connected')).data;

  it('CHECKLIST 10: API keys name users, and other keys nobody', async () => {
    await start(apiKeys({ 'key-a': 'alice', 'key-b': { id: 'bob', claims: { plan: 'free' } } }));
    expect(await greetingOf(`${app.url}/ws`, bearer('key-a'))).toMatchObject({ user: 'alice' });
    expect(await greetingOf(`${app.url}/ws`, bearer('key-b'))).toMatchObject({ user: 'bob' });
    for (const key of ['key-', 'key-aa', 'constructor', '__proto__', 'toString']) {
      expect((await refusal(`${app.url}/ws`, bearer(key))).status).toBe(401);
    }
  });

  it('CHECKLIST 10: a bearer validator gets token and request', async () => {
    const seen: unknown[] = [];
    await start(
      bearerToken(async (token, request) => {
        seen.push([token, request?.url]);
        return Promise.resolve(token === 'good' ? 'alice' : undefined);
      }),
    );
    expect(await greetingOf(`${app.url}/ws?x=1`, bearer('good'))).toMatchObject({ user: 'alice' });
    expect(await greetingOf(`${app.url}/ws`, { protocols: bearerProtocols('good') })).toMatchObject({ user: 'alice' });
    expect((await refusal(`${app.url}/ws`, bearer('bad'))).status).toBe(401);
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    // Without a token it is not asked.
    expect(seen).toEqual([['good', '/ws?x=1'], ['good', '/ws'], ['bad', '/ws']]);
  });

  it('CHECKLIST 10: a query-token validator needs no guard to be listed', async () => {
    await start(queryToken((token) => (token === 'good' ? { id: 'alice' } : null)));
    expect(await greetingOf(`${app.url}/ws?token=good`)).toMatchObject({ user: 'alice' });
    expect((await refusal(`${app.url}/ws?token=bad`)).status).toBe(401);
    expect((await refusal(`${app.url}/ws`, bearer('good'))).status).toBe(401);
  });

  it('CHECKLIST 10: a function is an authenticator', async () => {
    await start(({ token, source }) => (token === 'good' ? `by-${source}` : undefined));
    expect(await greetingOf(`${app.url}/ws`, bearer('good'))).toMatchObject({ user: 'by-header' });
    expect((await refusal(`${app.url}/ws`, bearer('bad'))).status).toBe(401);
  });

  it.each<[string, AuthenticatorSetting]>([
    ['throws', () => { throw new Error('no database'); }],
    ['throws nothing', () => { throw undefined; }],
    ['rejects', async () => Promise.reject(new Error('no database'))],
    ['throws a 500', () => { throw new UnauthorizedException('no'); }],
    ['answers true', () => true],
    ['answers an object without a user', () => ({ name: 'alice' })],
    ['answers that the token is valid, and no user', () => ({ valid: true })],
    ['answers an empty id', () => ({ id: '' })],
    ['answers an expiry that is none', () => ({ id: 'alice', expiresAt: NaN })],
    ['answers an expiry in the past', () => ({ id: 'alice', expiresAt: Date.now() - 1 })],
  ])('CHECKLIST 10: one that %s has refused: 401', async (_what, authenticator) => {
    await start(authenticator);
    const answer = await refusal(`${app.url}/ws`, bearer('good'));
    expect(answer).toMatchObject({ status: 401, body: { statusCode: 401, message: 'Unauthorized' } });
    expect(failures).toMatchObject([{ valid: false, error: expect.any(InvalidCredentialsError) }]);
    expect(app.hub.stats().clients).toBe(0);
  });

  it.each<[string, AuthenticatorSetting, unknown]>([
    ['throws that it cannot decide', () => { throw new AuthenticationUnavailableError('no database'); }, []],
    ["throws Nest's 503", () => { throw new ServiceUnavailableException('no database'); }, []],
    ['has a key set that cannot be fetched', jwt({ jwksUri: 'http://127.0.0.1:1/jwks' }), []],
    ['cannot decide, behind anyOf', () => { throw new AuthenticationUnavailableError('no database'); }, [anyOf(BearerTokenGuard, QueryTokenGuard)]],
  ])('one that %s has refused nobody: 503, to come again, without a word about the token', async (_what, authenticator, guards) => {
    await start(authenticator, { realtime: { guards: guards as [] } });
    const token = await sign({ sub: 'alice' });
    const es256 = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}${token.slice(token.indexOf('.'))}`;
    for (const path of ['/ws', '/ws/events']) {
      const answer = path === '/ws' ? await refusal(`${app.url}${path}`, bearer(es256)) : await streamAnswer(`${app.url}${path}`, es256);
      expect(answer).toEqual({
        status: 503,
        headers: expect.objectContaining({ 'retry-after': '2' }),
        body: { statusCode: 503, message: 'Credentials cannot be checked at the moment', error: 'Service Unavailable' },
      });
      expect(answer.headers).not.toHaveProperty('www-authenticate');
    }
    expect(failures).toEqual([]);
    expect(logger.text).toMatch(/warn The authenticator cannot decide/);
    expect(logger.text).not.toContain(es256);
  });

  it('that cannot decide about the token of a refresh leaves the connection as it is', async () => {
    await start(({ token }) => {
      if (token === 'later') throw new AuthenticationUnavailableError('no database');
      return 'alice';
    });
    const client = await connect(`${app.url}/ws`, bearer('now'));
    expect(await client.request({ type: 'refresh', data: 'later' })).toMatchObject({
      type: 'error',
      data: { code: 'unavailable', message: 'Credentials cannot be checked at the moment' },
    });
    expect(await client.request({ type: 'refresh', data: 'now' })).toMatchObject({ type: 'refreshed' });
  });

  it('may say itself which of the three errors it is', async () => {
    await start(({ token }) => {
      throw token === 'old' ? new MalformedCredentialsError('an old format') : new MissingCredentialsError();
    });
    expect((await refusal(`${app.url}/ws`, bearer('old'))).status).toBe(401);
    expect(failures).toMatchObject([{ error: { code: 'malformed_credentials', reason: 'an old format' } }]);
  });

  it('may read the request itself, and is asked without a token then', async () => {
    const authenticator: Authenticator = {
      tokenSource: 'request',
      authenticate: ({ request }) => /session=(\w+)/.exec(request?.headers.cookie ?? '')?.[1],
    };
    await start(authenticator);
    expect(await greetingOf(`${app.url}/ws`, { headers: { cookie: 'session=dora' } })).toMatchObject({ user: 'dora' });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect(failures).toMatchObject([{ error: { code: 'missing_credentials' } }]);
  });

  it.each<[string, TestAppOptions, AuthenticatorSetting]>([
    ['a class that a module provides', { imports: [SessionModule] }, SessionAuthenticator],
    [
      'an injection token',
      { imports: [SessionModule], providers: [{ provide: 'AUTH', useExisting: SessionAuthenticator }] },
      'AUTH',
    ],
    ['a token of a function', { providers: [{ provide: 'AUTH', useValue: () => 'carol' }] }, 'AUTH'],
  ])('may be %s', async (_what, options, setting) => {
    await start(setting, options);
    expect(await greetingOf(`${app.url}/ws`, bearer('session-1'))).toMatchObject({ user: 'carol' });
  });

  it('that a module provides is prepared once, and refuses like any other', async () => {
    await start(SessionAuthenticator, { imports: [SessionModule] });
    expect(app.app.get(SessionAuthenticator).prepared).toBe(1);
    expect((await refusal(`${app.url}/ws`, bearer('session-2'))).status).toBe(401);
  });

  describe('of JSON Web Tokens', () => {
    beforeEach(() => start(jwt({ secret, issuer: 'me', audience: 'chat' })));
    const good = { sub: 'alice', iss: 'me', aud: 'chat' };

    it('take the user, the claims and the expiry from the token', async () => {
      const exp = Math.floor(Date.now() / 1000) + 3600;
      const token = await sign({ ...good, exp, roles: ['admin'] });
      const greeting = await greetingOf(`${app.url}/ws`, bearer(token));
      expect(greeting).toMatchObject({ user: 'alice', expiresAt: exp * 1000 });
    });

    it('refuse what is forged, expired, early, for others or for nobody', async () => {
      const now = Math.floor(Date.now() / 1000);
      const header = Buffer.from('{"alg":"none"}').toString('base64url');
      const payload = Buffer.from(JSON.stringify(good)).toString('base64url');
      const tokens = [
        await sign(good, 'another secret of thirty-two bytes!!'),
        await sign({ ...good, exp: now - 1 }),
        await sign({ ...good, nbf: now + 3600 }),
        await sign({ ...good, iss: 'somebody else' }),
        await sign({ ...good, aud: 'another application' }),
        await sign({ iss: 'me', aud: 'chat' }),
        `${header}.${payload}.`,
        'not.a.token',
      ];
      for (const token of tokens) expect((await refusal(`${app.url}/ws`, bearer(token))).status).toBe(401);
      expect(failures).toHaveLength(tokens.length);
      expect(failures.every((failure) => !failure.valid && failure.error.code === 'invalid_credentials')).toBe(true);
      expect(app.hub.stats().clients).toBe(0);
    });
  });

  it('guard HTTP routes by the same guards', async () => {
    @Controller()
    class Profile {
      @Get('me')
      @UseGuards(BearerTokenGuard)
      me(@Req() request: { user: unknown }): unknown {
        return request.user;
      }

      @Get('ticket')
      @UseGuards(QueryTokenGuard)
      ticket(@Req() request: { user: unknown }): unknown {
        return request.user;
      }
    }
    await start(apiKeys({ key: 'alice' }), { controllers: [Profile] });
    const me = await fetch(`http://127.0.0.1:${app.port}/me`, { headers: { authorization: 'Bearer key' } });
    expect(await me.json()).toEqual({ id: 'alice', claims: {} });
    expect((await fetch(`http://127.0.0.1:${app.port}/me`)).status).toBe(401);
    const ticket = await fetch(`http://127.0.0.1:${app.port}/ticket?token=key`);
    expect(await ticket.json()).toEqual({ id: 'alice', claims: {} });
  });

  it('share the upgrade with a guard of the application by anyOf', async () => {
    @Injectable()
    class CookieGuard implements CanActivate {
      constructor(private readonly sessions: Sessions) {}

      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest<IncomingMessage & { user?: unknown }>();
        request.user = this.sessions.users.get(request.headers.cookie?.slice('sid='.length) ?? '');
        return request.user !== undefined;
      }
    }
    await start(apiKeys({ key: 'alice' }), {
      imports: [SessionModule],
      providers: [CookieGuard],
      realtime: { guards: [anyOf(BearerTokenGuard, CookieGuard)] },
    });
    expect(await greetingOf(`${app.url}/ws`, bearer('key'))).toMatchObject({ user: 'alice' });
    expect(await greetingOf(`${app.url}/ws`, { headers: { cookie: 'sid=session-1' } })).toMatchObject({ user: 'carol' });
    expect((await refusal(`${app.url}/ws`, bearer('wrong'))).status).toBe(401);
    const answer = await refusal(`${app.url}/ws`);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(failures.map((failure) => !failure.valid && failure.error.code)).toEqual([
      'invalid_credentials', 'missing_credentials',
    ]);
  });

  it('are not needed by a guard of the application that reads a cookie and sets request.user', async () => {
    @Injectable()
    class CookieGuard implements CanActivate {
      constructor(private readonly sessions: Sessions) {}

      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest<IncomingMessage & { user?: unknown }>();
        request.user = this.sessions.users.get(/sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '');
        if (request.user === undefined) throw new UnauthorizedException('log in first');
        return true;
      }
    }
    failures = [];
    app = await createApp({
      platform,
      imports: [SessionModule],
      providers: [CookieGuard],
      realtime: { guards: [CookieGuard], auth: { onFailure: (_request, result) => failures.push(result) } },
    });
    const cookie = { headers: { cookie: 'sid=session-1' } };
    expect(await greetingOf(`${app.url}/ws`, cookie)).toMatchObject({ user: 'carol' });
    expect(failures).toEqual([]);
    const answer = await refusal(`${app.url}/ws`);
    expect(answer).toMatchObject({ status: 401, body: { message: 'log in first' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(failures).toMatchObject([{ valid: false, error: { code: 'invalid_credentials' } }]);
  });
});

describe('authenticators that cannot work stop the start', () => {
  it.each<[string, () => TestAppOptions, unknown, string]>([
    [
      'a guard without an authenticator',
      () => ({ realtime: { guards: [BearerTokenGuard] } }),
      MissingAuthenticatorError,
      'BearerTokenGuard needs an authenticator',
    ],
    [
      'an object that cannot authenticate',
      () => ({ realtime: { auth: { authenticator: { check: () => true } as unknown as Authenticator } } }),
      InvalidAuthenticatorError,
      'auth.authenticator',
    ],
    [
      'an injection token that nothing provides',
      () => ({ realtime: { auth: { authenticator: 'NOBODY' } } }),
      InvalidAuthenticatorError,
      'NOBODY',
    ],
    [
      'a class whose dependencies cannot be found',
      () => ({ realtime: { auth: { authenticator: SessionAuthenticator } } }),
      InvalidAuthenticatorError,
      'SessionAuthenticator',
    ],
    [
      'a class in request scope',
      () => ({ providers: [ScopedAuthenticator], realtime: { auth: { authenticator: ScopedAuthenticator } } }),
      InvalidAuthenticatorError,
      'it is in request scope',
    ],
    [
      'a token of a provider in request scope',
      () => ({ providers: [{ provide: 'AUTH', useClass: ScopedAuthenticator }], realtime: { auth: { authenticator: 'AUTH' } } }),
      InvalidAuthenticatorError,
      'it is in request scope',
    ],
    [
      'an empty API key',
      () => ({ realtime: { auth: { authenticator: apiKeys({ '': 'alice' }) } } }),
      AuthenticatorOptionsError,
      'entry 1',
    ],
    [
      'a JWT without a key',
      () => ({ realtime: { auth: { authenticator: jwt({}) } } }),
      AuthenticatorOptionsError,
      'secret',
    ],
  ])('%s', async (_what, options, type, text) => {
    const starting = (async () => (await createUnstartedApp(options())).init())();
    await expect(starting).rejects.toBeInstanceOf(type);
    await expect(starting).rejects.toThrow(text);
  });

  it('one whose prepare rejects', async () => {
    const authenticator: Authenticator = {
      authenticate: () => undefined,
      prepare: async () => Promise.reject(new Error('no key set')),
    };
    const app = await createUnstartedApp({ realtime: { auth: { authenticator } } });
    await expect(app.init()).rejects.toThrow('no key set');
    await app.close();
  });
});

/** What a request for an event stream is answered with. */
async function streamAnswer(url: string, token: string): Promise<Pick<Refusal, 'status' | 'headers' | 'body'>> {
  const response = await fetch(url.replace('ws:', 'http:'), { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.json() };
}
