import {
  type CanActivate,
  ForbiddenException,
  HttpException,
  Injectable,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import {
  anyOf,
  apiKeys,
  type AuthResult,
  AuthenticationError,
  BearerTokenGuard,
  InvalidCredentialsError,
  MissingCredentialsError,
  OnConnect,
  OnDisconnect,
  QueryTokenGuard,
  type RealtimeModuleOptions,
} from 'nestjs-realtime';
import { createApp, PLATFORMS, type TestApp } from '../../support/create-app';
import { RecordingLogger } from '../../support/recording-logger';
import { RawSocket } from '../../support/raw-socket';
import { refusal, TestClient } from '../../support/test-client';
import { bearer } from '../../support/tokens';
import { deferred } from '../../support/wait-for';

@Injectable()
class Lives {
  count = 0;

  @OnConnect()
  @OnDisconnect()
  live(): void {
    this.count++;
  }
}

describe.each(PLATFORMS)('auth.onFailure over %s', (platform) => {
  let app: TestApp;
  let logger: RecordingLogger;
  let calls: [url: string | undefined, result: AuthResult][];

  const start = async (realtime: RealtimeModuleOptions = {}): Promise<void> => {
    calls = [];
    logger = new RecordingLogger();
    app = await createApp({
      platform,
      providers: [Lives],
      realtime: {
        ...realtime,
        auth: {
          authenticator: apiKeys({ key: 'alice' }),
          onFailure: (request: IncomingMessage, result) => calls.push([request.url, result]),
          ...realtime.auth,
        },
      },
      prepare: (nest) => nest.useLogger(logger),
    });
  };
  afterEach(() => app.close());

  it('CHECKLIST 9: is called once with request and error, then comes the 401, and the client count is unchanged', async () => {
    await start();
    const client = await TestClient.connect(`${app.url}/ws`, bearer('key'));
    const answer = await refusal(`${app.url}/ws?room=lobby`, bearer('wrong'));
    expect(answer.status).toBe(401);
    expect(calls).toEqual([['/ws?room=lobby', { valid: false, error: expect.any(InvalidCredentialsError) }]]);
    expect(app.hub.stats().clients).toBe(1);
    expect(app.hub.connections()).toMatchObject([{ user: 'alice' }]);
    expect(app.app.get(Lives).count).toBe(1);
    await client.close();
  });

  it('CHECKLIST 9: has been called when the client has its 401', async () => {
    const order: string[] = [];
    await start({ auth: { onFailure: () => order.push('hook') } });
    await refusal(`${app.url}/ws`).then(() => order.push('answer'));
    expect(order).toEqual(['hook', 'answer']);
  });

  it('is called once, however many guards were asked', async () => {
    await start({ guards: [anyOf(BearerTokenGuard, QueryTokenGuard), BearerTokenGuard] });
    expect((await refusal(`${app.url}/ws?token=wrong`, bearer('wrong'))).status).toBe(401);
    expect(calls).toHaveLength(1);
  });

  it('is not called for a client that is let in', async () => {
    await start();
    await (await TestClient.connect(`${app.url}/ws`, bearer('key'))).close();
    expect(calls).toEqual([]);
  });

  it('is not called again when anyOf lets in after one guard has refused', async () => {
    await start({ guards: [anyOf(QueryTokenGuard, BearerTokenGuard)] });
    await (await TestClient.connect(`${app.url}/ws`, bearer('key'))).close();
    expect(calls).toEqual([]);
  });

  it.each<[string, Error, string]>([
    ['an UnauthorizedException', new UnauthorizedException('log in'), 'invalid_credentials'],
    ['another exception with status 401', new HttpException('log in', 401), 'invalid_credentials'],
    ['an error of this module', new MissingCredentialsError('no cookie'), 'missing_credentials'],
  ])('is called with a typed error for %s of a guard of the application', async (_what, thrown, code) => {
    const guard: CanActivate = { canActivate: () => { throw thrown; } };
    await start({ guards: [guard], auth: { authenticator: undefined } });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect(calls).toHaveLength(1);
    const { error } = calls[0]![1] as { error: AuthenticationError };
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.code).toBe(code);
    expect(error instanceof MissingCredentialsError ? error : error.cause).toBe(thrown);
  });

  it.each<[string, Error, number]>([
    ['403', new ForbiddenException(), 403],
    ['503', new ServiceUnavailableException(), 503],
    ['500', new Error('broken'), 500],
  ])('is not called for a guard that ends in %s', async (_what, thrown, status) => {
    await start({ guards: [{ canActivate: () => { throw thrown; } }], auth: { authenticator: undefined } });
    expect((await refusal(`${app.url}/ws`)).status).toBe(status);
    expect(calls).toEqual([]);
  });

  it('is not called for an origin that is not allowed', async () => {
    await start({ origins: [] });
    expect((await refusal(`${app.url}/ws`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
    expect(calls).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['throws', () => { throw new Error('no audit log'); }],
    ['rejects', async () => Promise.reject(new Error('no audit log'))],
    ['throws an exception of its own', () => { throw new HttpException('no audit log', 200); }],
  ])('changes nothing when it %s, and the log says so', async (_what, onFailure) => {
    await start({ auth: { onFailure } });
    const answer = await refusal(`${app.url}/ws`, bearer('wrong'));
    expect(answer).toMatchObject({ status: 401, body: { statusCode: 401, message: 'Unauthorized' } });
    expect(logger.text).toMatch(/error auth\.onFailure failed.*no audit log/s);
    expect(app.hub.stats().clients).toBe(0);
    // And the next client is not affected.
    await (await TestClient.connect(`${app.url}/ws`, bearer('key'))).close();
  });

  it('is not waited for', async () => {
    const audited = deferred();
    await start({ auth: { onFailure: () => audited.promise } });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    audited.resolve();
  });

  it('cannot let anybody in', async () => {
    await start({ auth: { onFailure: (request) => ((request as { user?: unknown }).user = 'mallory') } });
    expect((await refusal(`${app.url}/ws`)).status).toBe(401);
    expect(app.hub.stats().clients).toBe(0);
  });

  it('is called for a client that has gone by the time it is refused', async () => {
    const decision = deferred<string | undefined>();
    const asked = deferred();
    const authenticator = (): Promise<string | undefined> => {
      asked.resolve();
      return decision.promise;
    };
    const called = deferred<AuthResult>();
    await start({ auth: { authenticator, onFailure: (_request, result) => called.resolve(result) } });
    const client = await RawSocket.open(app.port);
    client.upgrade('/ws', { Authorization: 'Bearer key' });
    await asked.promise;
    client.reset();
    decision.resolve(undefined);
    expect(await called.promise).toMatchObject({ valid: false });
  });
});
