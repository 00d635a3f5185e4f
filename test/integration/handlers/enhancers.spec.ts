import {
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  type INestApplication,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  type Provider,
  UseFilters,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { MessageBody, WsException } from '@nestjs/websockets';
import { ChannelParam, isRealtimeContext, OnMessage, OnSubscribe, RealtimeError, realtimeContext, SubscribeChannel } from 'nestjs-realtime';
import { catchError, EMPTY, filter, map, type Observable, of } from 'rxjs';
import { PLATFORMS } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { testApps } from '../../support/test-apps';
import { TestClient } from '../../support/test-client';

@Injectable()
class Suffix {
  readonly value = '!';
}

@Injectable()
class Shout implements PipeTransform<unknown> {
  constructor(private readonly suffix: Suffix) {}
  transform(value: unknown): unknown {
    return typeof value === 'string' ? value.toUpperCase() + this.suffix.value : value;
  }
}

@Injectable()
class Envelope implements NestInterceptor {
  constructor(private readonly suffix: Suffix) {}
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((result: unknown) => ({ result, by: `${realtimeContext(context)?.type}${this.suffix.value}` })));
  }
}

@Catch(ConflictException)
@Injectable()
class ConflictFilter implements ExceptionFilter {
  constructor(private readonly suffix: Suffix) {}
  catch(exception: ConflictException, host: ArgumentsHost): never {
    const about = realtimeContext(host);
    throw new RealtimeError('conflict', `${exception.message} in ${about?.type}${this.suffix.value}`, { seat: 7 });
  }
}

@Injectable()
class ByMethod {
  @OnMessage('method.pipe')
  @UsePipes(Shout)
  pipe(@MessageBody() body: string): string {
    return body;
  }

  @OnMessage('method.interceptor')
  @UseInterceptors(Envelope)
  interceptor(): string {
    return 'x';
  }

  @OnMessage('method.filter')
  @UseFilters(ConflictFilter)
  filter(): void {
    throw new ConflictException('taken');
  }
}

@Controller()
@UsePipes(Shout)
@UseInterceptors(Envelope)
@UseFilters(ConflictFilter)
class ByClass {
  @OnMessage('class.pipe')
  pipe(@MessageBody() body: string): string {
    return body;
  }

  @OnMessage('class.filter')
  filter(): void {
    throw new ConflictException('taken');
  }
}

@Injectable()
class Plain {
  @OnMessage('plain')
  plain(@MessageBody() body: unknown): unknown {
    if (body === 'CLASH!' || body === 'clash') throw new ConflictException('taken');
    return body;
  }

  @OnSubscribe('room:{name}')
  join(@ChannelParam('name') name: string): string {
    return name;
  }

  @SubscribeChannel('room:{name}')
  say(@MessageBody() body: string): string {
    return body;
  }
}

describe.each(PLATFORMS)('pipes, interceptors and filters of handlers, over %s', (platform) => {
  const createApp = testApps(platform);

  it('of a method apply to it', async () => {
    const app = await createApp({ providers: [Suffix, ByMethod] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'method.pipe', data: 'hi' })).data).toBe('HI!');
    expect((await client.request({ type: 'method.interceptor' })).data).toEqual({ result: 'x', by: 'method.interceptor!' });
    expect((await client.request({ type: 'method.filter' })).data).toEqual({
      code: 'conflict',
      message: 'taken in method.filter!',
      details: { seat: 7 },
    });
  });

  it('of a class, here a controller, apply to its methods', async () => {
    const app = await createApp({ providers: [Suffix], controllers: [ByClass] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'class.pipe', data: 'hi' })).data).toEqual({ result: 'HI!', by: 'class.pipe!' });
    expect((await client.request({ type: 'class.filter' })).data).toMatchObject({ message: 'taken in class.filter!' });
  });

  const suffix = new Suffix();
  const GLOBAL: [string, { providers?: Provider[]; prepare?: (app: INestApplication) => void }][] = [
    [
      'set by useGlobalX',
      {
        prepare: (app) => {
          app.useGlobalPipes(new Shout(suffix));
          app.useGlobalInterceptors(new Envelope(suffix));
          app.useGlobalFilters(new ConflictFilter(suffix));
        },
      },
    ],
    [
      'provided as APP_X',
      {
        providers: [
          Suffix,
          { provide: APP_PIPE, useClass: Shout },
          { provide: APP_INTERCEPTOR, useClass: Envelope },
          { provide: APP_FILTER, useClass: ConflictFilter },
        ],
      },
    ],
  ];

  it.each(GLOBAL)('%s apply to requests, subscriptions and publications', async (_, options) => {
    const app = await createApp({ ...options, providers: [Plain, ...(options.providers ?? [])] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'plain', data: 'hi' })).data).toEqual({ result: 'HI!', by: 'plain!' });
    expect((await client.request({ type: 'plain', data: 'clash' })).data).toMatchObject({ message: 'taken in plain!' });
    expect((await client.subscribe('room:a')).data).toEqual({ result: 'A!', by: 'subscribe!' });
    await client.request({ type: 'chat', channel: 'room:a', data: 'hi' });
    expect((await client.next('chat')).data).toEqual({ result: 'HI!', by: 'chat!' });
  });

  it('run from the outside in, and a filter catches what a pipe throws', async () => {
    const order: string[] = [];
    const note = (name: string): NestInterceptor => ({
      intercept: (_, next) => {
        order.push(name);
        return next.handle();
      },
    });
    @Catch(BadRequestException)
    class NotANumber implements ExceptionFilter {
      catch(): never {
        throw new WsException({ code: 'validation_failed', message: 'no number' });
      }
    }
    @Injectable()
    @UseInterceptors(note('class'))
    @UseFilters(NotANumber)
    class Handlers {
      @OnMessage('number')
      @UseInterceptors(note('method'))
      number(@MessageBody(ParseIntPipe) body: number): number {
        return body + 1;
      }
    }
    const app = await createApp({ providers: [Handlers], prepare: (nest) => nest.useGlobalInterceptors(note('global')) });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'number', data: '41' })).data).toBe(42);
    expect(order).toEqual(['global', 'class', 'method']);
    expect((await client.request({ type: 'number', data: 'x' })).data).toEqual({ code: 'validation_failed', message: 'no number' });
  });

  it('CHECKLIST 30: an interceptor may transform a publication, or drop it', async () => {
    @Injectable()
    class Moderator implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(
          filter((text) => text !== 'spam'),
          map((text) => ({ text })),
        );
      }
    }
    @Injectable()
    class Handlers {
      @SubscribeChannel('room:{name}')
      @UseInterceptors(Moderator)
      say(@MessageBody() text: string): string {
        return text;
      }

      @OnMessage('nothing')
      @UseInterceptors({ intercept: () => EMPTY })
      nothing(): string {
        return 'never';
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.subscribe('room:a');
    expect(await client.request({ type: 'chat', channel: 'room:a', data: 'spam' })).toMatchObject({ type: 'ack' });
    await client.request({ type: 'chat', channel: 'room:a', data: 'hello' });
    expect(await client.next('chat')).toMatchObject({ data: { text: 'hello' } });
    expect((await client.settled()).some(({ type }) => type === 'chat')).toBe(false);
    const reply = await client.request({ type: 'nothing' });
    expect(reply).toMatchObject({ type: 'ack' });
    expect(reply).not.toHaveProperty('data');
  });

  it('an interceptor may answer for a handler that failed', async () => {
    @Injectable()
    class Handlers {
      @OnMessage('rescue')
      @UseInterceptors({ intercept: (_: ExecutionContext, next: CallHandler) => next.handle().pipe(catchError(() => of('rescued'))) })
      rescue(): void {
        throw new Error('x');
      }
    }
    const app = await createApp({ providers: [Handlers] });
    const client = await TestClient.connect(`${app.url}/ws`);
    expect((await client.request({ type: 'rescue' })).data).toBe('rescued');
  });

  it('isRealtimeContext tells handlers from HTTP routes in a global interceptor', async () => {
    const seen: string[] = [];
    @Controller()
    class Http {
      @Get('http')
      answer(): string {
        return 'http';
      }
    }
    const app = await createApp({
      providers: [Plain],
      controllers: [Http],
      prepare: (nest) =>
        nest.useGlobalInterceptors({
          intercept: (context, next) => {
            seen.push(`${context.getType()} ${isRealtimeContext(context)}`);
            return next.handle();
          },
        }),
    });
    const client = await TestClient.connect(`${app.url}/ws`);
    await client.request({ type: 'plain' });
    await fetch(`http://127.0.0.1:${app.port}/http`);
    expect(seen).toEqual(['ws true', 'http false']);
  });
});

describe.each(PLATFORMS)('filters that are written for HTTP, over %s', (platform) => {
  const createApp = testApps();

  const answer = (exception: unknown, host: ArgumentsHost): void => {
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    host.switchToHttp().getResponse().status(status).send({ status, from: 'filter' });
  };

  @Catch()
  class StatusFilter implements ExceptionFilter {
    catch(exception: unknown, host: ArgumentsHost): void {
      answer(exception, host);
    }
  }

  @Catch()
  class AsyncStatusFilter implements ExceptionFilter {
    async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
      await Promise.resolve();
      answer(exception, host);
    }
  }

  @Catch()
  class Base extends BaseExceptionFilter {}

  @Controller()
  class Http {
    @Get('fails')
    fails(): void {
      throw new ConflictException('taken');
    }
  }

  const set: [string, (app: INestApplication) => unknown][] = [
    ['answers by response.status', () => new StatusFilter()],
    ['does so asynchronously', () => new AsyncStatusFilter()],
    ['extends BaseExceptionFilter', (app) => new Base(app.get(HttpAdapterHost).httpAdapter)],
  ];

  it.each(set)('one that %s does not break handlers, and works for HTTP', async (_, make) => {
    const logger = new RecordingLogger();
    const app = await createApp({
      platform,
      providers: [Plain],
      controllers: [Http],
      prepare: (nest) => nest.useGlobalFilters(make(nest) as ExceptionFilter).useLogger(logger),
    });
    const client = await TestClient.connect(`${app.url}/ws`);
    for (const data of ['clash', 'clash']) {
      expect((await client.request({ type: 'plain', data })).data).toEqual({ code: 'conflict', message: 'taken' });
    }
    expect((await client.request({ type: 'plain', data: 'fine' })).data).toBe('fine');
    expect((await fetch(`http://127.0.0.1:${app.port}/fails`)).status).toBe(409);
  });
});
