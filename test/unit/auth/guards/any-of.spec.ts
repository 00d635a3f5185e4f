import {
  CanActivate,
  ForbiddenException,
  HttpException,
  Injectable,
  Module,
  ServiceUnavailableException,
  UnauthorizedException,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import { of, throwError } from 'rxjs';
import {
  anyOf,
  apiKeys,
  AuthenticationService,
  BearerTokenGuard,
  InvalidCredentialsError,
  isAuthenticatingGuard,
  MalformedCredentialsError,
  MissingAuthenticatorError,
  MissingCredentialsError,
  QueryTokenGuard,
  REALTIME_AUTHENTICATOR,
} from '../../../../lib/auth';
import { bearer, requestWith } from '../requests';

@Injectable()
class Sessions {
  readonly known = new Set(['sid=1']);
}

@Injectable()
class SessionGuard implements CanActivate {
  constructor(private readonly sessions: Sessions) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { cookie?: string }; user?: unknown }>();
    if (!this.sessions.known.has(request.headers.cookie ?? '')) throw new ForbiddenException();
    request.user = { id: 'by-session' };
    return true;
  }
}

/** A guard class that answers as the function does. */
function guardThat(answer: () => ReturnType<CanActivate['canActivate']>): Type<CanActivate> {
  class AnswerGuard implements CanActivate {
    canActivate = answer;
    static {
      // The check of anyOf() looks at the class.
      this.prototype.canActivate = answer;
    }
  }
  return AnswerGuard;
}

const throws = (error: unknown): Type<CanActivate> =>
  guardThat(() => {
    throw error;
  });
const http = (request: object): ExecutionContext => new ExecutionContextHost([request]);

@Module({ providers: [Sessions], exports: [Sessions] })
class SessionModule {}

@Module({
  imports: [SessionModule],
  providers: [AuthenticationService, { provide: REALTIME_AUTHENTICATOR, useValue: apiKeys({ 'key-a': 'alice' }) }],
})
class RootModule {}

async function create(guard: Type<CanActivate>): Promise<CanActivate> {
  const module = await Test.createTestingModule({ imports: [RootModule] }).compile();
  await module.init();
  return module.select(RootModule).get(ModuleRef, { strict: true }).create(guard);
}

async function refusalOf(...guards: Type<CanActivate>[]): Promise<unknown> {
  const guard = await create(anyOf(...guards));
  return Promise.resolve(guard.canActivate(http(requestWith()))).then(
    () => 'passed',
    (error: unknown) => error,
  );
}

describe('anyOf', () => {
  it('passes with the first member that passes, made through DI', async () => {
    const guard = await create(anyOf(BearerTokenGuard, SessionGuard));
    const byToken = requestWith(bearer('key-a'));
    const bySession = requestWith({ cookie: 'sid=1' });
    expect(await guard.canActivate(http(byToken))).toBe(true);
    expect(await guard.canActivate(http(bySession))).toBe(true);
    expect([byToken, bySession].map((request) => (request as { user?: { id: string } }).user?.id)).toEqual([
      'alice',
      'by-session',
    ]);
  });

  it.each([
    ['nobody', undefined],
    ['whom a middleware found', { id: 'by-middleware' }],
  ])('leaves %s on the request when the member that said otherwise refused in the end', async (_who, before) => {
    class Banned implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        context.switchToHttp().getRequest<{ user?: unknown }>().user = { id: 'mallory' };
        return false;
      }
    }
    const request = requestWith() as object as { user?: unknown };
    if (before) request.user = before;
    const guard = await create(anyOf(Banned, guardThat(() => true)));
    expect(await guard.canActivate(http(request))).toBe(true);
    expect(request.user).toBe(before);
  });

  it('asks no more members than it needs', async () => {
    const later = jest.fn(() => true);
    expect(
      await refusalOf(
        guardThat(() => true),
        guardThat(later),
      ),
    ).toBe('passed');
    expect(later).not.toHaveBeenCalled();
  });

  it('uses the instance that a module provides', async () => {
    @Injectable()
    class CountingGuard implements CanActivate {
      calls = 0;
      canActivate(): boolean {
        return ++this.calls > 0;
      }
    }
    const module = await Test.createTestingModule({ providers: [CountingGuard] }).compile();
    const guard = await module.get(ModuleRef).create(anyOf(CountingGuard));
    await guard.canActivate(http(requestWith()));
    expect(module.get(CountingGuard).calls).toBe(1);
  });

  it.each<[string, () => ReturnType<CanActivate['canActivate']>]>([
    ['a boolean', () => true],
    ['a promise', () => Promise.resolve(true)],
    ['an observable', () => of(false, true)],
  ])('understands a member that answers %s', async (_what, answer) => {
    expect(await refusalOf(guardThat(answer))).toBe('passed');
  });

  it.each<[string, () => ReturnType<CanActivate['canActivate']>]>([
    ['false', () => false],
    ['a promise of false', () => Promise.resolve(false)],
    ['an observable of false', () => of(false)],
  ])('is forbidden when its members answer %s', async (_what, answer) => {
    expect(await refusalOf(guardThat(answer))).toBeInstanceOf(ForbiddenException);
  });

  const missing = new MissingCredentialsError();
  const malformed = new MalformedCredentialsError();
  const invalid = new InvalidCredentialsError();
  const forbidden = new ForbiddenException();
  const unauthorized = new UnauthorizedException();
  const throttled = new HttpException('Too many', 429);
  const unavailable = new ServiceUnavailableException();
  const bug = new TypeError('bug');

  it.each<[string, unknown, unknown]>([
    ['invalid credentials before missing ones', invalid, missing],
    ['malformed credentials before missing ones', malformed, missing],
    ['invalid credentials before malformed ones', invalid, malformed],
    ['forbidden before missing credentials', forbidden, missing],
    ['invalid credentials before forbidden', invalid, forbidden],
    ['another 401 before missing credentials', unauthorized, missing],
    ['a throttled client before missing credentials', throttled, missing],
    ['an outage before invalid credentials', unavailable, invalid],
    ['a bug before invalid credentials', bug, invalid],
  ])('throws %s, in either order', async (_what, telling, other) => {
    expect(await refusalOf(throws(telling), throws(other))).toBe(telling);
    expect(await refusalOf(throws(other), throws(telling))).toBe(telling);
    expect(
      await refusalOf(
        guardThat(() => throwError(() => other)),
        throws(telling),
      ),
    ).toBe(telling);
  });

  it('throws missing credentials before a bare false, so that the client is told to send some', async () => {
    expect(await refusalOf(throws(missing), guardThat(() => false))).toBe(missing);
    expect(await refusalOf(guardThat(() => false), throws(missing))).toBe(missing);
  });

  it('throws the error of the first of equals', async () => {
    expect(await refusalOf(throws(missing), throws(new MissingCredentialsError()))).toBe(missing);
  });

  it('may hold another anyOf', async () => {
    const guard = await create(anyOf(SessionGuard, anyOf(QueryTokenGuard, BearerTokenGuard)));
    expect(await guard.canActivate(http(requestWith(bearer('key-a'))))).toBe(true);
  });

  it('stops the start when a member lacks its authenticator', async () => {
    const AnyOf = anyOf(BearerTokenGuard, SessionGuard);
    const module = Test.createTestingModule({ imports: [SessionModule], providers: [AuthenticationService, AnyOf] });
    await expect(module.compile().then((compiled) => compiled.init())).rejects.toThrow(MissingAuthenticatorError);
  });

  it('is named after its members', () => {
    expect(anyOf(BearerTokenGuard, SessionGuard).name).toBe('AnyOf(BearerTokenGuard, SessionGuard)');
  });

  it('refuses to be made of nothing, or of what is no guard class', () => {
    expect(() => anyOf()).toThrow(TypeError);
    expect(() => anyOf(BearerTokenGuard, Sessions as never)).toThrow('argument 2');
    expect(() => anyOf(undefined as never)).toThrow('argument 1');
  });
});

describe('isAuthenticatingGuard', () => {
  class OwnTokenGuard extends QueryTokenGuard {}
  it.each<[string, unknown, boolean]>([
    ['BearerTokenGuard', BearerTokenGuard, true],
    ['QueryTokenGuard', QueryTokenGuard, true],
    ['a subclass', OwnTokenGuard, true],
    ['an instance', new BearerTokenGuard(new AuthenticationService(() => 'alice')), true],
    ['anyOf with one', anyOf(SessionGuard, BearerTokenGuard), true],
    ['a nested anyOf with one', anyOf(SessionGuard, anyOf(QueryTokenGuard)), true],
    ['anyOf without', anyOf(SessionGuard), false],
    ['a guard of the application', SessionGuard, false],
    ['nothing', undefined, false],
    ['an arrow function', () => true, false],
  ])('judges %s', (_what, guard, expected) => {
    expect(isAuthenticatingGuard(guard)).toBe(expected);
  });
});
