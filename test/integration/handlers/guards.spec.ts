import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, REQUEST, Reflector } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { isRealtimeContext, OnMessage, OnSubscribe, realtimeContext, SubscribeChannel } from 'nestjs-realtime';
import { PLATFORMS } from '../../support/create-app';
import { TestClient } from '../../support/test-client';
import { testApps } from '../../support/test-apps';

const FORBIDDEN = { type: 'error', data: { code: 'forbidden' } };

@Injectable()
class Policy {
  allows(body: unknown): boolean {
    return (body as { secret?: string } | undefined)?.secret === 'open sesame';
  }
}

/** Has a dependency, so that it only works where Nest's injector made it. */
@Injectable()
class SesameGuard implements CanActivate {
  constructor(private readonly policy: Policy) {}

  canActivate(context: ExecutionContext): boolean {
    return this.policy.allows(context.switchToWs().getData());
  }
}

@Injectable()
class DenyAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class GuardedMethods {
  @OnMessage('provider.guarded')
  @UseGuards(SesameGuard)
  guarded(): string {
    return 'passed';
  }

  @OnMessage('provider.open')
  open(): string {
    return 'passed';
  }

  @OnSubscribe('guarded:{name}')
  @UseGuards(DenyAll)
  join(): void {}

  @SubscribeChannel('say:{name}')
  @UseGuards(SesameGuard)
  say(@MessageBody() body: unknown): unknown {
    return body;
  }
}

@Injectable()
@UseGuards(SesameGuard)
class GuardedClass {
  @OnMessage('class.guarded')
  guarded(): string {
    return 'passed';
  }
}

@Controller()
class GuardedController {
  @OnMessage('controller.guarded')
  @UseGuards(SesameGuard)
  guarded(): string {
    return 'passed';
  }

  @Get('http')
  http(): string {
    return 'http';
  }
}

@Controller()
@UseGuards(SesameGuard)
class GuardedControllerClass {
  @OnMessage('controller-class.guarded')
  guarded(): string {
    return 'passed';
  }
}

@Injectable()
@UseGuards(SesameGuard)
class UnderToken {
  @OnMessage('token.guarded')
  guarded(): string {
    return 'passed';
  }
}

/** With an injector of its own: the guard's dependency is visible in this module only. */
@Module({ providers: [Policy, { provide: 'UNDER_TOKEN', useClass: UnderToken }] })
class TokenModule {}

describe.each(PLATFORMS)('guards on handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  it.each(['provider.guarded', 'class.guarded', 'controller.guarded', 'controller-class.guarded', 'token.guarded'])(
    'let through and refuse on %s',
    async (type) => {
      const app = await createApp({
        imports: [TokenModule],
        providers: [Policy, GuardedMethods, GuardedClass],
        controllers: [GuardedController, GuardedControllerClass],
      });
      const client = await TestClient.connect(`${app.url}/ws`);
      expect(await client.request({ type })).toMatchObject(FORBIDDEN);
      expect(await client.request({ type, data: { secret: 'open sesame' } })).toMatchObject({ type: 'ack', data: 'passed' });
    },
  );

  it('CHECKLIST 26: a guard on @OnSubscribe refuses the subscription, and none is left', async () => {
    const app = await createApp({ providers: [Policy, GuardedMethods] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'subscribe', channel: 'guarded:a' })).toMatchObject({
      ...FORBIDDEN,
      channel: 'guarded:a',
    });
    expect(app.hub.channelInfo('guarded:a')).toBeUndefined();
    expect(app.hub.stats()).toMatchObject({ channels: 0, subscribers: 0 });
  });

  it('a guard on @SubscribeChannel keeps a publication from everybody', async () => {
    const app = await createApp({ providers: [Policy, GuardedMethods] });
    const [client, other] = await Promise.all([TestClient.connect(`${app.url}/ws`), TestClient.connect(`${app.url}/ws`)]);
    await Promise.all([client.subscribe('say:a'), other.subscribe('say:a')]);
    expect(await client.request({ type: 'chat', channel: 'say:a', data: { text: 'no' } })).toMatchObject(FORBIDDEN);
    await client.request({ type: 'chat', channel: 'say:a', data: { secret: 'open sesame' } });
    expect((await other.next('chat')).data).toEqual({ secret: 'open sesame' });
    expect(other.ofType('chat')).toEqual([]);
  });

  it('a guard reads metadata of the method by a Reflector', async () => {
    @Injectable()
    class RoleGuard implements CanActivate {
      constructor(private readonly reflector: Reflector) {}
      canActivate(context: ExecutionContext): boolean {
        return this.reflector.getAllAndOverride<string>('role', [context.getHandler(), context.getClass()]) === 'anyone';
      }
    }
    @Injectable()
    @UseGuards(RoleGuard)
    class Handlers {
      @OnMessage('open')
      @SetMetadata('role', 'anyone')
      open(): void {}

      @OnMessage('closed')
      @SetMetadata('role', 'admin')
      closed(): void {}
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'open' })).toMatchObject({ type: 'ack' });
    expect(await client.request({ type: 'closed' })).toMatchObject(FORBIDDEN);
  });

  it('a guard that throws an unexpected error lets nothing through and ends nothing', async () => {
    @Injectable()
    class Broken implements CanActivate {
      canActivate(): boolean {
        throw new Error('secret detail');
      }
    }
    @Injectable()
    class Handlers {
      called = 0;
      @OnMessage('broken')
      @UseGuards(Broken)
      broken(): void {
        this.called++;
      }
    }
    const app = await createApp({ providers: [Handlers] });
    app.app.useLogger(false);
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'broken' })).data).toEqual({ code: 'internal', message: 'Internal server error' });
    expect(app.app.get(Handlers).called).toBe(0);
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });
});

describe.each(PLATFORMS)('global guards on handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  /** Refuses what carries `deny`, in HTTP and on channels. */
  class GlobalGuard implements CanActivate {
    readonly seen: string[] = [];
    canActivate(context: ExecutionContext): boolean {
      const about = realtimeContext(context);
      this.seen.push(about ? `${context.getType()} ${about.type} ${about.channel ?? '-'}` : context.getType());
      return !isRealtimeContext(context) || context.switchToWs().getData<{ deny?: boolean } | undefined>()?.deny !== true;
    }
  }

  const open = { providers: [GuardedMethods, Policy], controllers: [GuardedController] };

  it('run when set by useGlobalGuards', async () => {
    const guard = new GlobalGuard();
    const app = await createApp({ ...open, prepare: (nest) => nest.useGlobalGuards(guard) });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'provider.open', data: { deny: true } })).toMatchObject(FORBIDDEN);
    expect(await client.request({ type: 'provider.open' })).toMatchObject({ type: 'ack' });
    const onChannels = guard.seen.filter((call) => call.startsWith('ws'));
    expect(onChannels).toEqual(['ws provider.open -', 'ws provider.open -']);
    expect(guard.seen.filter((call) => call.startsWith('http'))).toHaveLength(1);
  });

  it('run when provided as APP_GUARD, once for a message', async () => {
    const app = await createApp({ ...open, providers: [...open.providers, { provide: APP_GUARD, useClass: GlobalGuard }] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'provider.open', data: { deny: true } })).toMatchObject(FORBIDDEN);
    expect(await client.request({ type: 'controller.guarded', data: { secret: 'open sesame' } })).toMatchObject({ type: 'ack' });
    expect(await client.request({ type: 'subscribe', channel: 'guarded:a' })).toMatchObject(FORBIDDEN);
  });

  it.each(['provider.open', 'controller.open'])('a request-scoped APP_GUARD runs on %s', async (type) => {
    @Injectable({ scope: Scope.REQUEST })
    class RequestGuard implements CanActivate {
      constructor(@Inject(REQUEST) private readonly request: { data?: { deny?: boolean } }) {}
      canActivate(): boolean {
        return this.request.data?.deny !== true;
      }
    }
    @Controller()
    class OpenController {
      @OnMessage('controller.open')
      open(): string {
        return 'passed';
      }
    }
    const app = await createApp({
      providers: [GuardedMethods, Policy, { provide: APP_GUARD, useClass: RequestGuard }],
      controllers: [OpenController],
    });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type, data: { deny: true } })).toMatchObject(FORBIDDEN);
    expect(await client.request({ type })).toMatchObject({ type: 'ack', data: 'passed' });
  });
});
