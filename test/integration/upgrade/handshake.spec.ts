import {
  type ArgumentsHost,
  BadRequestException,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  ParseIntPipe,
  type Provider,
  Scope,
  type Type,
  UnauthorizedException,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { ConnectedSocket } from '@nestjs/websockets';
import { IsInt, IsNotEmpty, Min } from 'class-validator';
import { Type as Transform } from 'class-transformer';
import type { IncomingMessage } from 'node:http';
import { of } from 'rxjs';
import { apiKeys, type AuthResult, ConnectedUser, HandshakeQuery, isRealtimeContext, OnConnect, OnHandshake } from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { refusal, TestClient } from '../../support/test-client';

class EventsQuery {
  @IsNotEmpty()
  contractId!: string;

  @Transform(() => Number)
  @IsInt()
  @Min(1)
  page = 1;
}

@Injectable()
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<IncomingMessage>().headers['x-member'] === 'yes';
  }
}

describe.each(PLATFORMS)('handshake handlers over %s', (platform) => {
  let app: TestApp;
  let logger: RecordingLogger;
  let failures: AuthResult[];

  const start = async (...providers: Provider[]): Promise<void> => {
    logger = new RecordingLogger();
    failures = [];
    app = await createApp({
      platform,
      providers,
      realtime: {
        channels: { '*': {} },
        auth: { authenticator: apiKeys({ key: 'alice' }), onFailure: (_request, result) => failures.push(result) },
      },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(() => app.close());

  const authorized = { headers: { authorization: 'Bearer key' } };
  const connect = (path = '/ws', headers: Record<string, string> = {}): Promise<TestClient> =>
    TestClient.connect(app.url + path, { headers: { ...authorized.headers, ...headers }, greeted: false });
  const refused = (path = '/ws', headers: Record<string, string> = {}): ReturnType<typeof refusal> =>
    refusal(app.url + path, { headers: { ...authorized.headers, ...headers } });
  const channelsOf = async (client: TestClient): Promise<string[]> => (await client.next('connected')).data.channels;

  describe('with a DTO', () => {
    @Injectable()
    class Events {
      seen: EventsQuery | undefined;

      @OnHandshake()
      handshake(@HandshakeQuery() query: EventsQuery): string[] {
        this.seen = query;
        return [`contract:${query.contractId}`, `page:${query.page}`];
      }
    }

    it('CHECKLIST 5: answer a missing required parameter with 400, and there is no upgrade', async () => {
      await start(Events);
      const answer = await refused('/ws');
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({
        statusCode: 400,
        error: 'Bad Request',
        message: ['contractId should not be empty'],
        details: [{ property: 'contractId', constraints: { isNotEmpty: 'contractId should not be empty' } }],
      });
      expect(app.app.get(Events).seen).toBeUndefined();
      expect(app.hub.stats().clients).toBe(0);
    });

    it('answer every parameter that is wrong', async () => {
      await start(Events);
      const { body } = await refused('/ws?page=0');
      expect(body.details.map(({ property }: { property: string }) => property)).toEqual(['contractId', 'page']);
    });

    it('get an instance of it, and their channels are joined', async () => {
      await start(Events);
      const client = await connect('/ws?contractId=c%201&page=2'.replace('%20', '-'));
      expect(await channelsOf(client)).toEqual(['contract:c-1', 'page:2']);
      expect(app.app.get(Events).seen).toBeInstanceOf(EventsQuery);
      expect(app.app.get(Events).seen).toEqual({ contractId: 'c-1', page: 2 });
    });

    it('are not confused by names that every object has', async () => {
      await start(Events);
      const client = await connect('/ws?contractId=1&__proto__=x&constructor=y&toString=z');
      expect(await channelsOf(client)).toEqual(['contract:1', 'page:1']);
    });
  });

  it('may take single parameters through pipes', async () => {
    @Injectable()
    class Pages {
      @OnHandshake()
      handshake(@HandshakeQuery('page', ParseIntPipe) page: number): string {
        return `page:${page + 1}`;
      }
    }
    await start(Pages);
    expect(await channelsOf(await connect('/ws?page=4'))).toEqual(['page:5']);
    expect(await refused('/ws?page=x')).toMatchObject({ status: 400, body: { statusCode: 400 } });
  });

  it.each<[string, Error, number]>([
    ['BadRequestException', new BadRequestException('no such contract'), 400],
    ['ConflictException', new ConflictException('no such contract'), 409],
    ['UnauthorizedException', new UnauthorizedException('no such contract'), 401],
  ])('refuse with %s as the answer', async (_name, exception, status) => {
    @Injectable()
    class Refusing {
      connected = 0;

      @OnHandshake()
      async handshake(): Promise<void> {
        return Promise.reject(exception);
      }

      @OnConnect()
      connect(): void {
        this.connected++;
      }
    }
    await start(Refusing);
    const answer = await refused();
    expect(answer).toMatchObject({ status, body: { statusCode: status, message: 'no such contract' } });
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
    expect(app.app.get(Refusing).connected).toBe(0);
    expect(app.hub.stats().clients).toBe(0);
    // The hook is for every 401.
    expect(failures).toHaveLength(status === 401 ? 1 : 0);
  });

  it('that throw anything else are a fault: 500, of which the client learns nothing', async () => {
    @Injectable()
    class Broken {
      @OnHandshake()
      handshake(): void {
        throw new TypeError('no database at 10.0.0.1');
      }
    }
    await start(Broken);
    expect(await refused()).toMatchObject({ status: 500, body: { statusCode: 500, message: 'Internal Server Error' } });
    expect(logger.text).toContain('no database at 10.0.0.1');
    expect(app.hub.stats().clients).toBe(0);
  });

  it('are called once for an upgrade, in the order of their modules, up to one that refuses', async () => {
    const called: string[] = [];
    @Injectable()
    class First {
      @OnHandshake()
      one(): string[] {
        called.push('one');
        return ['a', 'b'];
      }
    }
    @Injectable()
    class Second {
      @OnHandshake()
      two(@HandshakeQuery('refuse') refuse?: string): unknown {
        called.push('two');
        if (refuse !== undefined) throw new BadRequestException();
        return of('skipped', ['b', 'c']);
      }
    }
    @Injectable()
    class Third {
      @OnHandshake()
      three(): void {
        called.push('three');
      }
    }
    await start(First, Second, Third);
    expect(await channelsOf(await connect('/ws/lobby?room=x'))).toEqual(['room:lobby', 'room:x', 'a', 'b', 'c']);
    expect(called).toEqual(['one', 'two', 'three']);
    called.length = 0;
    expect((await refused('/ws?refuse=1')).status).toBe(400);
    expect(called).toEqual(['one', 'two']);
  });

  it('tell the client about a channel that cannot be joined', async () => {
    @Injectable()
    class Odd {
      @OnHandshake()
      handshake(): string[] {
        return ['fine', 'not a name'];
      }
    }
    await start(Odd);
    const client = await connect();
    expect(await channelsOf(client)).toEqual(['fine']);
    expect(await client.next('error')).toMatchObject({ channel: 'not a name', data: { code: 'invalid_channel' } });
  });

  it('of controllers are found too', async () => {
    @Controller()
    class Pages {
      @OnHandshake()
      handshake(): string {
        return 'from-controller';
      }
    }
    app = await createApp({ platform, controllers: [Pages], realtime: { channels: { '*': {} } } });
    const client = await TestClient.connect(`${app.url}/ws`, { greeted: false });
    expect(await channelsOf(client)).toEqual(['from-controller']);
  });

  it('in request scope are made for every upgrade, with its request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) private readonly payload: { client: IncomingMessage }) {}

      @OnHandshake()
      handshake(@ConnectedSocket() request: IncomingMessage): string {
        return `same-${request === this.payload.client}-${String(request.headers['x-n'])}`;
      }
    }
    await start(Scoped);
    expect(await channelsOf(await connect('/ws', { 'x-n': '1' }))).toEqual(['same-true-1']);
    expect(await channelsOf(await connect('/ws', { 'x-n': '2' }))).toEqual(['same-true-2']);
  });

  it('get the user that the connection will have', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Users {
      @OnHandshake()
      handshake(@ConnectedUser() user: unknown): void {
        seen.push(user);
      }

      @OnConnect()
      connect(@ConnectedUser() user: unknown): void {
        seen.push(user);
      }
    }
    await start(Users);
    await (await connect()).next('connected');
    expect(seen).toEqual([{ id: 'alice', claims: {} }, { id: 'alice', claims: {} }]);
    await app.close();

    const cookie: CanActivate = {
      canActivate: (context) => {
        context.switchToHttp().getRequest<{ user: unknown }>().user = { id: 7, roles: ['admin'] };
        return true;
      },
    };
    seen.length = 0;
    app = await createApp({ platform, providers: [Users], realtime: { guards: [cookie] } });
    await TestClient.connect(`${app.url}/ws`);
    const user = { id: '7', claims: { roles: ['admin'] } };
    expect(seen).toEqual([user, user]);
  });

  describe('with guards', () => {
    let asked: string[];
    beforeEach(() => (asked = []));

    @Injectable()
    class ByMethod {
      @OnHandshake()
      @UseGuards(HeaderGuard)
      handshake(): string {
        asked.push('handler');
        return 'members';
      }
    }

    @Injectable()
    @UseGuards(HeaderGuard)
    class ByClass {
      @OnHandshake()
      handshake(): string {
        asked.push('handler');
        return 'members';
      }
    }

    @Injectable({ scope: Scope.REQUEST })
    class ScopedGuard implements CanActivate {
      constructor(@Inject(REQUEST) private readonly payload: { client: IncomingMessage }) {}

      canActivate(): boolean {
        return this.payload.client.headers['x-member'] === 'yes';
      }
    }

    @Injectable()
    class ByScopedGuard {
      @OnHandshake()
      @UseGuards(ScopedGuard)
      handshake(): string {
        asked.push('handler');
        return 'members';
      }
    }

    it.each<[string, Type]>([
      ['on the method', ByMethod],
      ['on the class', ByClass],
      ['in request scope', ByScopedGuard],
    ])('%s are refused with 403 by a guard that says no', async (_where, handlers) => {
      await start(handlers);
      expect(await refused()).toMatchObject({ status: 403, body: { statusCode: 403, error: 'Forbidden' } });
      expect(asked).toEqual([]);
      expect(app.hub.stats().clients).toBe(0);
      expect(await channelsOf(await connect('/ws', { 'x-member': 'yes' }))).toEqual(['members']);
      expect(asked).toEqual(['handler']);
    });

    it('are told apart by isRealtimeContext', async () => {
      const seen: boolean[] = [];
      @Injectable()
      class Noting implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          return seen.push(isRealtimeContext(context)) > 0;
        }
      }
      @Injectable()
      class Noted {
        @OnHandshake()
        @UseGuards(Noting)
        handshake(): void {}
      }
      await start(Noted);
      await connect();
      expect(seen).toEqual([true]);
    });
  });

  it('have exception filters', async () => {
    @Catch(RangeError)
    class RangeFilter implements ExceptionFilter<RangeError> {
      catch(error: RangeError, host: ArgumentsHost): never {
        throw new BadRequestException(`${error.message} in ${host.getType()}`);
      }
    }
    @Injectable()
    class Filtered {
      @OnHandshake()
      @UseFilters(RangeFilter)
      handshake(): void {
        throw new RangeError('too far');
      }
    }
    await start(Filtered);
    expect(await refused()).toMatchObject({ status: 400, body: { message: 'too far in http' } });
  });
});
