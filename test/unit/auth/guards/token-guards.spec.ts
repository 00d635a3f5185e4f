import {
  Controller,
  Get,
  Module,
  Req,
  UseGuards,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import {
  AuthenticationService,
  apiKeys,
  BearerTokenGuard,
  MissingAuthenticatorError,
  MissingCredentialsError,
  QueryTokenGuard,
  REALTIME_AUTHENTICATOR,
  TokenGuard,
  type ConnectedUser,
} from '../../../../lib/auth';
import { bearer, recordLogs, requestWith, subprotocol } from '../requests';

const authenticator = apiKeys({ 'key-a': { id: 'alice', claims: { plan: 'pro' } } });
const ALICE = { id: 'alice', claims: { plan: 'pro' } };

function contextOf(type: string, ...parameters: unknown[]): ExecutionContext {
  const context = new ExecutionContextHost(parameters);
  context.setType(type);
  return context;
}

function guardOf<T extends TokenGuard>(guard: Type<T>): T {
  return new guard(new AuthenticationService(authenticator));
}

@Controller()
class ProfileController {
  @Get('bearer')
  @UseGuards(BearerTokenGuard)
  byHeader(@Req() request: { user?: ConnectedUser }) {
    return request.user;
  }

  @Get('query')
  @UseGuards(QueryTokenGuard)
  byQuery(@Req() request: { user?: ConnectedUser }) {
    return request.user;
  }
}

@Module({
  controllers: [ProfileController],
  providers: [AuthenticationService, { provide: REALTIME_AUTHENTICATOR, useValue: authenticator }],
})
class ProfileModule {}

beforeEach(() => recordLogs());

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the guards on HTTP routes over %s', (_name, createAdapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [ProfileModule] }).compile();
    app = module.createNestApplication(createAdapter());
    await app.listen(0, '127.0.0.1');
    url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  });
  afterAll(() => app.close());

  async function get(path: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
    const response = await fetch(`${url}${path}`, { headers: { ...headers, connection: 'close' } });
    return [response.status, await response.json()];
  }

  it('let a known user in and leave it in request.user', async () => {
    expect(await get('/bearer', bearer('key-a'))).toEqual([200, ALICE]);
    expect(await get('/query?token=key-a')).toEqual([200, ALICE]);
  });

  it('answer everything else with one and the same 401', async () => {
    const refused = [401, { statusCode: 401, message: 'Unauthorized' }];
    expect(await get('/bearer')).toEqual(refused);
    expect(await get('/bearer', { authorization: 'Basic YTpi' })).toEqual(refused);
    expect(await get('/bearer', bearer('key-b'))).toEqual(refused);
    expect(await get('/bearer?token=key-a')).toEqual(refused);
    expect(await get('/query', bearer('key-a'))).toEqual(refused);
    expect(await get('/query?token=key-a&token=key-a')).toEqual(refused);
  });
});

describe('BearerTokenGuard', () => {
  it.each([
    ['the header', bearer('key-a')],
    ['the subprotocol entry', subprotocol('key-a')],
  ])('authenticates the request of an upgrade by %s', async (_where, headers) => {
    const request = requestWith(headers);
    expect(await guardOf(BearerTokenGuard).canActivate(contextOf('http', request))).toBe(true);
    expect((request as { user?: unknown }).user).toEqual(ALICE);
  });

  it('reads the raw request of a wrapped one and sets the user on the wrapper', async () => {
    const request: Record<string, unknown> = { raw: requestWith(bearer('key-a')) };
    expect(await guardOf(BearerTokenGuard).canActivate(contextOf('http', request))).toBe(true);
    expect(request['user']).toEqual(ALICE);
  });

  it('sets no user when it refuses', async () => {
    const request = requestWith(bearer('key-b'));
    await expect(guardOf(BearerTokenGuard).canActivate(contextOf('http', request))).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    expect('user' in request).toBe(false);
  });

  it('passes the messages of an authenticated connection, and no others', async () => {
    const guard = guardOf(BearerTokenGuard);
    expect(await guard.canActivate(contextOf('ws', { user: ALICE }, {}))).toBe(true);
    for (const client of [{}, { user: undefined }, { user: null }, undefined]) {
      await expect(guard.canActivate(contextOf('ws', client, {}))).rejects.toBeInstanceOf(MissingCredentialsError);
    }
  });
});

describe('a token guard without an authenticator', () => {
  it.each([BearerTokenGuard, QueryTokenGuard])('stops the start and says what to configure (%p)', async (guard) => {
    @Controller()
    class GuardedController {
      @Get()
      @UseGuards(guard)
      get(): void {}
    }
    const start = Test.createTestingModule({
      controllers: [GuardedController],
      providers: [AuthenticationService],
    }).compile();
    const error: unknown = await start.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MissingAuthenticatorError);
    expect(error).toMatchObject({
      guard: guard.name,
      message: expect.stringContaining('auth.authenticator') as string,
    });
  });
});
