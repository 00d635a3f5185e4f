import {
  type CallHandler,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { type Connection, OnConnect, OnMessage, OnSubscribe, RealtimeContext, RealtimeError, SubscribeChannel } from 'nestjs-realtime';
import { map, type Observable } from 'rxjs';
import { PLATFORMS } from '../../support/create-app';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

/** What `@Inject(REQUEST)` gives in a handler. */
interface HandlerRequest {
  client: Connection;
  data: unknown;
  context: RealtimeContext;
}

@Injectable()
class Counter {
  made = 0;
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  private readonly number: number;
  constructor(
    counter: Counter,
    @Inject(REQUEST) private readonly request: HandlerRequest,
  ) {
    this.number = ++counter.made;
  }

  @OnMessage('whoami')
  whoami(@MessageBody() body: unknown): unknown {
    const { client, data, context } = this.request;
    return { number: this.number, client: client.id, data, body, type: context.type };
  }

  @OnSubscribe('scoped:{name}')
  join(): unknown {
    return { channel: this.request.context.channel, params: { ...this.request.context.params } };
  }

  @SubscribeChannel('scoped:{name}')
  say(@MessageBody() body: object): unknown {
    return { ...body, number: this.number };
  }
}

@Controller({ scope: Scope.REQUEST })
class ControllerPerRequest {
  constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}

  @OnMessage('controller')
  answer(): unknown {
    return this.request.data;
  }
}

describe.each(PLATFORMS)('request-scoped providers with handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  it('are made anew for every message, with the message as REQUEST', async () => {
    const app = await createApp({ providers: [Counter, PerRequest] });
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    const { connectionId } = (await client.next('connected')).data;
    const expected = { client: connectionId, type: 'whoami' };
    expect((await client.request({ type: 'whoami', data: 'a' })).data).toEqual({ ...expected, number: 1, data: 'a', body: 'a' });
    expect((await client.request({ type: 'whoami', data: 'b' })).data).toEqual({ ...expected, number: 2, data: 'b', body: 'b' });
  });

  it('decide on subscriptions and handle publications', async () => {
    const app = await createApp({ providers: [Counter, PerRequest] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.subscribe('scoped:a')).data).toEqual({ channel: 'scoped:a', params: { name: 'a' } });
    await client.request({ type: 'chat', channel: 'scoped:a', data: { text: 'hi' } });
    expect((await client.next('chat')).data).toEqual({ text: 'hi', number: 2 });
  });

  it('may be controllers', async () => {
    const app = await createApp({ controllers: [ControllerPerRequest] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'controller', data: 'hi' })).toMatchObject({ type: 'ack', data: 'hi' });
  });

  it('keep apart messages that are handled at the same time', async () => {
    const app = await createApp({ providers: [Counter, PerRequest] });
    const client = await TestClient.connect(`${app.url}/ws`);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => client.request({ type: 'whoami', data: i })));
    expect(answers.map(({ data }) => data.body)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(new Set(answers.map(({ data }) => data.number)).size).toBe(20);
  });

  it('belong to their module, where two modules provide the same class', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Named {
      constructor(@Inject('NAME') private readonly name: string) {}
      @OnMessage('name')
      answer(): string {
        return this.name;
      }
    }
    @Module({ providers: [{ provide: 'NAME', useValue: 'first' }, Named] })
    class First {}
    @Module({ providers: [{ provide: 'NAME', useValue: 'second' }, Named] })
    class Second {}
    const app = await createApp({ imports: [First, Second] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'name' })).data).toBe('first');
  });

  it('that cannot be made are an internal error, and end nothing', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Unmakeable {
      constructor() {
        throw new Error('secret detail');
      }
      @OnMessage('unmakeable')
      answer(): void {}
    }
    const app = await createApp({ providers: [Unmakeable] });
    app.app.useLogger(false);
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'unmakeable' })).data).toEqual({ code: 'internal', message: 'Internal server error' });
  });

  it('transient providers with handlers have their dependencies', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      constructor(private readonly counter: Counter) {}
      @OnMessage('transient')
      answer(): number {
        return this.counter.made;
      }
    }
    const app = await createApp({ providers: [Counter, Transient] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'transient' })).toMatchObject({ type: 'ack', data: 0 });
  });
});

describe.each(PLATFORMS)('request-scoped enhancers of handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  @Injectable({ scope: Scope.REQUEST })
  class ScopedGuard implements CanActivate {
    constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}
    canActivate(): boolean {
      return this.request.data !== 'deny';
    }
  }

  it('a guard on a static provider gets the message as REQUEST', async () => {
    @Injectable()
    class Handlers {
      @OnMessage('guarded')
      @UseGuards(ScopedGuard)
      guarded(): string {
        return 'passed';
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'guarded', data: 'deny' })).toMatchObject({ data: { code: 'forbidden' } });
    expect(await client.request({ type: 'guarded', data: 'allow' })).toMatchObject({ type: 'ack', data: 'passed' });
  });

  it('a guard on @OnConnect decides who may stay', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Bouncer implements CanActivate {
      constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}
      canActivate(): boolean {
        return this.request.client.handshake.query['name'] === 'alice';
      }
    }
    @Injectable()
    class Handlers {
      @OnConnect()
      @UseGuards(Bouncer)
      connect(): void {}
    }
    const app = await createApp({ providers: [Handlers] });
    const mallory = await TestClient.connect(`${app.url}/ws?name=mallory`, { greeted: false });
    expect((await mallory.closed).code).toBe(4503);
    const alice = await TestClient.connect(`${app.url}/ws?name=alice`);
    expect(await alice.request({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  it('global pipes, interceptors and filters in request scope apply to providers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Upper implements PipeTransform<unknown> {
      constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}
      transform(value: unknown): unknown {
        return typeof value === 'string' ? `${value.toUpperCase()} ${this.request.context.type}` : value;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Wrap implements NestInterceptor {
      constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((result: unknown) => ({ result, by: this.request.context.type })));
      }
    }
    @Catch(ConflictException)
    @Injectable({ scope: Scope.REQUEST })
    class Translate implements ExceptionFilter {
      constructor(@Inject(REQUEST) private readonly request: HandlerRequest) {}
      catch(): never {
        throw new RealtimeError('conflict', `translated ${this.request.context.type}`);
      }
    }
    @Injectable()
    class Handlers {
      @OnMessage('echo')
      echo(@MessageBody() body: string): string {
        return body;
      }
      @OnMessage('clash')
      clash(): void {
        throw new ConflictException();
      }
    }
    const app = await createApp({
      providers: [
        Handlers,
        { provide: APP_PIPE, useClass: Upper },
        { provide: APP_INTERCEPTOR, useClass: Wrap },
        { provide: APP_FILTER, useClass: Translate },
      ],
    });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'echo', data: 'hi' })).data).toEqual({ result: 'HI echo', by: 'echo' });
    expect((await client.request({ type: 'clash' })).data).toEqual({ code: 'conflict', message: 'translated clash' });
  });

  it('transient guards and pipes given as classes apply', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class TransientGuard implements CanActivate {
      constructor(private readonly counter: Counter) {}
      canActivate(context: ExecutionContext): boolean {
        return this.counter.made === 0 && context.switchToWs().getData() !== 'deny';
      }
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Exclaim implements PipeTransform<unknown> {
      constructor(private readonly counter: Counter) {}
      transform(value: unknown): unknown {
        return typeof value === 'string' ? `${value}! ${this.counter.made}` : value;
      }
    }
    @Injectable()
    class Handlers {
      @OnMessage('echo')
      @UseGuards(TransientGuard)
      @UsePipes(Exclaim)
      echo(@MessageBody() body: string): string {
        return body;
      }
    }
    const app = await createApp({ providers: [Counter, Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect(await client.request({ type: 'echo', data: 'deny' })).toMatchObject({ data: { code: 'forbidden' } });
    expect((await client.request({ type: 'echo', data: 'hi' })).data).toBe('hi! 0');
  });
});
