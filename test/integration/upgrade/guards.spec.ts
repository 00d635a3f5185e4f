import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpException,
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, Reflector, REQUEST } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { type Observable, of } from 'rxjs';
import { isRealtimeContext, OnConnect, UnresolvableGuardError } from 'nestjs-realtime';
import type { RealtimeModuleOptions } from 'nestjs-realtime';
import { createApp, createUnstartedApp, PLATFORMS, type TestApp, type TestAppOptions } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { rawUpgrade } from '../../support/raw-socket';
import { refusal, TestClient } from '../../support/test-client';

const requestOf = (context: ExecutionContext): IncomingMessage => context.switchToHttp().getRequest<IncomingMessage>();

@Injectable()
class Passwords {
  readonly accepted = 'sesame';
}

@Module({ providers: [Passwords], exports: [Passwords] })
class PasswordsModule {}

/** Has a dependency that only DI can give it. */
@Injectable()
class PasswordGuard implements CanActivate {
  constructor(private readonly passwords: Passwords) {}

  canActivate(context: ExecutionContext): boolean {
    return requestOf(context).headers['x-password'] === this.passwords.accepted;
  }
}

@Injectable()
class Connected {
  count = 0;

  @OnConnect()
  connect(): void {
    this.count++;
  }
}

const sesame = { headers: { 'x-password': 'sesame' } };
const wrong = { headers: { 'x-password': 'abracadabra' } };

describe.each(PLATFORMS)('guards at the upgrade, over %s', (platform) => {
  let app: TestApp;
  let logger: RecordingLogger;

  const start = async (options: TestAppOptions): Promise<void> => {
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      ...options,
      providers: [Connected, ...(options.providers ?? [])],
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  const startWith = (...guards: NonNullable<RealtimeModuleOptions['guards']>): Promise<void> =>
    start({ realtime: { guards } });
  const expectNobody = (): void => {
    expect(app.app.get(Connected).count).toBe(0);
    expect(app.hub.stats().clients).toBe(0);
  };
  afterEach(() => app.close());

  it('come from DI', async () => {
    await start({ imports: [PasswordsModule], providers: [PasswordGuard], realtime: { guards: [PasswordGuard] } });
    expect((await refusal(`${app.url}/ws`, wrong)).status).toBe(403);
    expectNobody();
    await (await TestClient.connect(`${app.url}/ws`, sesame)).close();
  });

  it('stop the start when DI cannot make them, with an error that names them', async () => {
    await start({});
    const broken = await createUnstartedApp({ platform, realtime: { guards: [PasswordGuard] } });
    const error: unknown = await broken.init().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnresolvableGuardError);
    expect(error).toMatchObject({ guard: 'PasswordGuard', message: expect.stringContaining('Passwords') });
    await broken.close();
  });

  it('may be objects', async () => {
    await startWith({ canActivate: (context) => requestOf(context).headers['x-password'] === 'sesame' });
    expect((await refusal(`${app.url}/ws`, wrong)).status).toBe(403);
    await (await TestClient.connect(`${app.url}/ws`, sesame)).close();
  });

  it('run in the order they are listed in, up to the first that says no', async () => {
    const asked: string[] = [];
    const guard = (name: string, passes: boolean): CanActivate => ({ canActivate: () => (asked.push(name), passes) });
    await startWith(guard('one', true), guard('two', false), guard('three', true));
    expect((await refusal(`${app.url}/ws`)).status).toBe(403);
    expect(asked).toEqual(['one', 'two']);
  });

  it.each<[string, CanActivate['canActivate']]>([
    ['false', () => false],
    ['a promise of false', async () => Promise.resolve(false)],
    ['an observable of false', () => of(false)],
    ['an observable that ends with false', () => of(true, false)],
    ['nothing', (() => undefined) as unknown as CanActivate['canActivate']],
  ])('refuse with 403 when they answer %s', async (_what, canActivate) => {
    await startWith({ canActivate });
    const answer = await refusal(`${app.url}/ws`);
    expect(answer).toMatchObject({ status: 403, body: { statusCode: 403, error: 'Forbidden' } });
    expectNobody();
  });

  it.each<[string, CanActivate['canActivate']]>([
    ['a promise of true', async () => Promise.resolve(true)],
    ['an observable of true', () => of(true)],
  ])('let in when they answer %s', async (_what, canActivate) => {
    await startWith({ canActivate });
    await (await TestClient.connect(`${app.url}/ws`)).close();
    expect(app.app.get(Connected).count).toBe(1);
  });

  it.each<[string, HttpException, number, unknown]>([
    ['its own text', new ForbiddenException('banned'), 403, { statusCode: 403, error: 'Forbidden', message: 'banned' }],
    ['its own body', new HttpException({ code: 'E42' }, 402), 402, { code: 'E42' }],
    ['a text alone', new HttpException('slow down', 429), 429, { statusCode: 429, message: 'slow down' }],
    ['a status unknown to Node', new HttpException('no', 499), 499, { statusCode: 499, message: 'no' }],
  ])('answer an HttpException with %s', async (_what, exception, status, body) => {
    await startWith({ canActivate: () => { throw exception; } });
    expect(await refusal(`${app.url}/ws`)).toMatchObject({ status, body });
    expectNobody();
  });

  it.each([
    ['an error', new Error('no database')],
    ['a text', 'no database'],
    ['an exception whose body has no JSON form', new HttpException({ because: 'no database', n: 1n }, 403)],
    ['an exception whose status is none', new HttpException('no database', 0)],
    ['an exception that would be an upgrade', new HttpException('no database', 101)],
  ])('that throw %s are a fault: 500, a line in the log, and nobody is connected', async (_what, thrown) => {
    await startWith({ canActivate: () => { throw thrown; } });
    const answer = await rawUpgrade(app.port, '/ws');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toEqual({ statusCode: 500, message: 'Internal Server Error' });
    expect(logger.text).toMatch(/error .*An upgrade failed/);
    expectNobody();
  });

  it('that reject asynchronously are a fault as well', async () => {
    await startWith({ canActivate: async () => Promise.reject(new TypeError('no database')) });
    expect((await refusal(`${app.url}/ws`)).status).toBe(500);
    expect(logger.text).toContain('no database');
    expectNobody();
  });

  it('include the global ones, of APP_GUARD and of useGlobalGuards, which see an http context', async () => {
    const seen: string[] = [];
    const note = (name: string): CanActivate => ({
      canActivate: (context) => {
        seen.push(`${name} ${context.getType()} ${isRealtimeContext(context)}`);
        return context.getType() === 'ws' || requestOf(context).headers['x-password'] === 'sesame';
      },
    });
    await start({ providers: [{ provide: APP_GUARD, useValue: note('APP_GUARD') }] });
    expect((await refusal(`${app.url}/ws`, wrong)).status).toBe(403);
    await (await TestClient.connect(`${app.url}/ws`, sesame)).close();
    // The last is for @OnConnect.
    expect(seen).toEqual(['APP_GUARD http true', 'APP_GUARD http true', 'APP_GUARD ws true']);
    await app.close();

    seen.length = 0;
    app = await createApp({ platform, prepare: (nest) => nest.useGlobalGuards(note('global')) });
    expect((await refusal(`${app.url}/ws`, wrong)).status).toBe(403);
    expect(seen).toEqual(['global http true']);
  });

  it('have a class and a handler that a Reflector finds nothing on', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class PublicRoutes implements CanActivate {
      constructor(private readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        seen.push(this.reflector.getAllAndOverride('isPublic', [context.getHandler(), context.getClass()]));
        return true;
      }
    }
    await start({
      providers: [PublicRoutes, { provide: APP_GUARD, useExisting: PublicRoutes }],
      realtime: { guards: [PublicRoutes] },
    });
    await (await TestClient.connect(`${app.url}/ws`)).close();
    // For the upgrade, for the module's list, and for @OnConnect.
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('may be skipped by a global guard that is for ordinary routes', async () => {
    @Controller()
    class Routes {
      @Get('route')
      route(): string {
        return 'ok';
      }
    }
    /** As a rate limiter that writes headers: it needs a response. */
    const needsResponse: CanActivate = {
      canActivate: (context) => {
        if (isRealtimeContext(context)) return true;
        return context.switchToHttp().getResponse<object | undefined>() !== undefined;
      },
    };
    await start({ controllers: [Routes], providers: [{ provide: APP_GUARD, useValue: needsResponse }] });
    await (await TestClient.connect(`${app.url}/ws`)).close();
    expect((await fetch(`http://127.0.0.1:${app.port}/route`)).status).toBe(200);
  });

  describe('in request scope', () => {
    let made: number;

    beforeEach(() => (made = 0));

    @Injectable({ scope: Scope.REQUEST })
    class PerRequest implements CanActivate {
      constructor(
        @Inject(REQUEST) private readonly request: IncomingMessage,
        readonly passwords: Passwords,
      ) {
        made++;
      }

      canActivate(context: ExecutionContext): boolean {
        if (context.getType() === 'ws') return true;
        if (this.request !== requestOf(context)) throw new Error('injected another request');
        return this.request.headers['x-password'] === this.passwords.accepted;
      }
    }

    /** Without a scope of its own, with a dependency that has one. */
    @Injectable({ scope: Scope.REQUEST })
    class RequestPassword {
      constructor(@Inject(REQUEST) readonly request: IncomingMessage) {
        made++;
      }
    }

    @Injectable()
    class ByDependency implements CanActivate {
      constructor(private readonly password: RequestPassword) {}

      canActivate(context: ExecutionContext): boolean {
        if (this.password.request !== requestOf(context)) throw new Error('injected another request');
        return this.password.request.headers['x-password'] === 'sesame';
      }
    }

    const check = async (): Promise<void> => {
      expect(made).toBe(0);
      expect((await refusal(`${app.url}/ws`, wrong)).status).toBe(403);
      expect(made).toBe(1);
      await (await TestClient.connect(`${app.url}/ws`, sesame)).close();
      expect(logger.text).not.toContain('injected another request');
    };

    it('are made for every upgrade, when a module provides them', async () => {
      await start({ imports: [PasswordsModule], providers: [PerRequest], realtime: { guards: [PerRequest] } });
      await check();
      expect(made).toBe(2);
    });

    it('are made for every upgrade, when a dependency is in request scope', async () => {
      await start({ providers: [RequestPassword, ByDependency], realtime: { guards: [ByDependency] } });
      await check();
      expect(made).toBe(2);
    });

    it('are made for every upgrade, when they are an APP_GUARD', async () => {
      await start({ imports: [PasswordsModule], providers: [{ provide: APP_GUARD, useClass: PerRequest }] });
      await check();
      // The last is for @OnConnect.
      expect(made).toBe(3);
    });

    it('run in their place among the others', async () => {
      const asked: string[] = [];
      const note = (name: string): CanActivate => ({ canActivate: () => asked.push(name) > 0 });
      @Injectable({ scope: Scope.REQUEST })
      class Noting implements CanActivate {
        canActivate(): boolean {
          return asked.push('scoped') > 0;
        }
      }
      await start({ providers: [Noting], realtime: { guards: [note('one'), Noting, note('two')] } });
      await (await TestClient.connect(`${app.url}/ws`)).close();
      expect(asked).toEqual(['one', 'scoped', 'two']);
    });

    it('refuse by an observable too', async () => {
      @Injectable({ scope: Scope.REQUEST })
      class Never implements CanActivate {
        canActivate(): Observable<boolean> {
          return of(false);
        }
      }
      await start({ providers: [Never], realtime: { guards: [Never] } });
      expect((await refusal(`${app.url}/ws`)).status).toBe(403);
    });

    it('stop the start when no module provides them', async () => {
      await start({});
      @Injectable({ scope: Scope.REQUEST })
      class Unlisted implements CanActivate {
        canActivate(): boolean {
          return true;
        }
      }
      const broken = await createUnstartedApp({ platform, realtime: { guards: [Unlisted] } });
      const error: unknown = await broken.init().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UnresolvableGuardError);
      expect(error).toMatchObject({ guard: 'Unlisted', message: expect.stringContaining('List it among the providers') });
      await broken.close();
    });
  });

  it('in transient scope are one instance', async () => {
    let made = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient implements CanActivate {
      constructor() {
        made++;
      }

      canActivate(): boolean {
        return true;
      }
    }
    await start({ providers: [Transient], realtime: { guards: [Transient] } });
    await (await TestClient.connect(`${app.url}/ws`)).close();
    await (await TestClient.connect(`${app.url}/ws`)).close();
    expect(made).toBe(1);
  });

  it('that a controller uses too are the same instance', async () => {
    let made = 0;
    @Injectable()
    class Shared implements CanActivate {
      constructor() {
        made++;
      }

      canActivate(): boolean {
        return true;
      }
    }
    @Controller()
    @UseGuards(Shared)
    class Guarded {
      @Get('guarded')
      get(): string {
        return 'ok';
      }
    }
    await start({ controllers: [Guarded], providers: [Shared], realtime: { guards: [Shared] } });
    await (await TestClient.connect(`${app.url}/ws`)).close();
    // The provider, and the one that Nest makes for every controller's enhancer.
    expect(made).toBe(2);
  });
});
