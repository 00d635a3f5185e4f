import { type CanActivate, type ExecutionContext, HttpException, Injectable, UnauthorizedException } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { apiKeys, type AuthResult, BearerTokenGuard } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { refusal, TestClient } from '../../support/test-client';

type Request = IncomingMessage & { user?: { id: string } };

function requestOf(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

/** Authenticates in a way of its own, and knows nothing of this module. */
@Injectable()
class CookieGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() === 'ws') return true;
    const request = requestOf(context);
    const [, id] = /session=(\w+)/.exec(request.headers.cookie ?? '') ?? [];
    if (id === undefined) throw new UnauthorizedException('Log in first');
    request.user = { id };
    return true;
  }
}

/** Needs to know who it is, and answers 403 to whom it does not. */
@Injectable()
class AliceOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getType() === 'ws' || requestOf(context).user?.id === 'alice';
  }
}

const alice = { headers: { cookie: 'session=alice' } };
const bob = { headers: { cookie: 'session=bob' } };

describe.each(PLATFORMS)('the order of guards at the upgrade, over %s', (platform) => {
  const start = testApps(platform);

  it('is the listed ones first: a global one finds the user that a guard of the application has left', async () => {
    const failures: AuthResult[] = [];
    const app = await start({
      providers: [CookieGuard, { provide: APP_GUARD, useClass: AliceOnly }],
      realtime: { guards: [CookieGuard], auth: { onFailure: (_request, result) => failures.push(result) } },
    });
    expect(await refusal(`${app.url}/ws`)).toMatchObject({ status: 401, body: { message: 'Log in first' } });
    expect(failures).toHaveLength(1);
    expect(await refusal(`${app.url}/ws`, bob)).toMatchObject({ status: 403, body: { message: 'Forbidden resource' } });
    await TestClient.connect(`${app.url}/ws`, alice);
    expect(app.hub.connections()).toMatchObject([{ user: 'alice' }]);
  });

  it('is those with a token before all others, then the others as they are listed, then the global ones', async () => {
    const asked: string[] = [];
    const note = (name: string): CanActivate => ({
      canActivate: (context) => {
        if (context.getType() === 'http') asked.push(`${name} ${requestOf(context).user?.id}`);
        return true;
      },
    });
    const app = await start({
      providers: [{ provide: APP_GUARD, useValue: note('global') }],
      realtime: { guards: [note('one'), BearerTokenGuard, note('two')], auth: { authenticator: apiKeys({ key: 'alice' }) } },
    });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect(asked).toEqual([]);
    await TestClient.connect(`${app.url}/ws`, { headers: { authorization: 'Bearer key' } });
    expect(asked).toEqual(['one alice', 'two alice', 'global alice']);
  });

  it('does not put a listed 403 before the 401 of a global guard', async () => {
    const app = await start({
      providers: [AliceOnly, { provide: APP_GUARD, useClass: CookieGuard }],
      realtime: { guards: [AliceOnly] },
    });
    expect(await refusal(`${app.url}/ws`)).toMatchObject({ status: 401, body: { message: 'Log in first' } });
    expect((await refusal(`${app.url}/ws`, bob)).status).toBe(403);
  });

  it.each([
    ['passes', (): boolean => true],
    ['refuses too', (): boolean => false],
    ['fails', (): boolean => { throw new HttpException('a fault of its own', 502); }],
  ])('leaves a listed 403 as it is when the global guard %s', async (_what, canActivate) => {
    const app = await start({
      providers: [{ provide: APP_GUARD, useValue: { canActivate } }],
      realtime: { guards: [{ canActivate: () => { throw new HttpException('not you', 403); } }] },
    });
    expect(await refusal(`${app.url}/ws`)).toMatchObject({ status: 403, body: { message: 'not you' } });
  });

  it('does not ask the global guards after a refusal that is no 403', async () => {
    let asked = 0;
    const app = await start({
      providers: [{ provide: APP_GUARD, useValue: { canActivate: () => ++asked > 0 } }],
      realtime: { guards: [{ canActivate: () => { throw new HttpException('slow down', 429); } }] },
    });
    expect((await refusal(`${app.url}/ws`)).status).toBe(429);
    expect(asked).toBe(0);
  });
});
