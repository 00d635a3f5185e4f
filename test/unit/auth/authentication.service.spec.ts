import { ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
import { inspect } from 'node:util';
import { AuthenticationService } from '../../../lib/auth/authentication.service';
import {
  AuthenticationError,
  AuthenticationUnavailableError,
  InvalidCredentialsError,
  MalformedCredentialsError,
  MissingCredentialsError,
} from '../../../lib/auth/authentication.errors';
import type { Authenticator, AuthResult, Credentials } from '../../../lib/auth/authenticator';
import { bearer, recordLogs, requestWith, subprotocol } from './requests';

const TOKEN = 'very-secret-token';

function serviceThat(authenticate: (credentials: Credentials) => unknown, more: Partial<Authenticator> = {}) {
  return new AuthenticationService({ authenticate: authenticate as Authenticator['authenticate'], ...more });
}

function errorOf(result: AuthResult): AuthenticationError | AuthenticationUnavailableError {
  if (result.valid) throw new Error('the client was let in');
  return result.error;
}

let logs: string[];
beforeEach(() => {
  logs = recordLogs();
});

describe('AuthenticationService', () => {
  it('lets in whom the authenticator names, with frozen claims', async () => {
    const result = await serviceThat(() => ({ id: 'alice', claims: { roles: ['a'] } })).authenticate(
      requestWith(bearer(TOKEN)),
    );
    expect(result).toEqual({ valid: true, user: { id: 'alice', claims: { roles: ['a'] } } });
    expect(result.valid && Object.isFrozen(result.user.claims['roles'])).toBe(true);
  });

  it.each([
    ['a full result', { valid: true, user: { id: 'alice', claims: {} } }],
    ['a full result with userId', { valid: true, userId: 'alice', claims: {} }],
    ['a bare id', 'alice'],
    ['a promise', Promise.resolve({ id: 'alice' })],
  ])('understands %s', async (_what, answer) => {
    const result = await serviceThat(() => answer).authenticate(requestWith(bearer(TOKEN)));
    expect(result.valid && result.user.id).toBe('alice');
  });

  it('takes a function for an authenticator', async () => {
    const service = new AuthenticationService(({ token }) => (token === TOKEN ? 'alice' : undefined));
    expect((await service.authenticate(requestWith(bearer(TOKEN)))).valid).toBe(true);
    expect(errorOf(await service.authenticate(requestWith(bearer('other'))))).toBeInstanceOf(InvalidCredentialsError);
  });

  it('tells the authenticator the token, where it was, and the request', async () => {
    const seen: Credentials[] = [];
    const service = serviceThat((credentials) => void seen.push(credentials));
    const header = requestWith(bearer(TOKEN));
    const entry = requestWith(subprotocol(TOKEN));
    await service.authenticate(header);
    await service.authenticate(entry);
    await service.authenticate(header, ['query', 'header']);
    await service.verify(TOKEN);
    expect(seen).toEqual([
      { token: TOKEN, source: 'header', request: header },
      { token: TOKEN, source: 'subprotocol', request: entry },
      { token: TOKEN, source: 'header', request: header },
      { token: TOKEN, source: 'refresh', request: undefined },
    ]);
  });

  it('tells missing, malformed and invalid credentials apart', async () => {
    const service = serviceThat(() => undefined);
    const classes = await Promise.all(
      [{}, { authorization: 'Basic YTpi' }, bearer(TOKEN)].map(
        async (headers) => errorOf(await service.authenticate(requestWith(headers))).constructor,
      ),
    );
    expect(classes).toEqual([MissingCredentialsError, MalformedCredentialsError, InvalidCredentialsError]);
    expect(logs).toEqual([]);
  });

  it('does not ask the authenticator without a token that can be read', async () => {
    const authenticate = jest.fn(() => 'somebody');
    const service = serviceThat(authenticate);
    await service.authenticate(requestWith());
    await service.authenticate(requestWith({ authorization: 'Bearer ' }));
    await service.verify('');
    await service.verify({ $gt: '' });
    expect(authenticate).not.toHaveBeenCalled();
  });

  it('asks an authenticator that reads the request itself even without a token', async () => {
    const service = serviceThat(({ request }) => (request?.headers.cookie === 'sid=1' ? 'alice' : undefined), {
      tokenSource: 'request',
    });
    expect((await service.authenticate(requestWith({ cookie: 'sid=1' }))).valid).toBe(true);
    expect((await service.authenticate(requestWith({ cookie: 'sid=1', authorization: 'Basic YTpi' }))).valid).toBe(
      true,
    );
    expect(errorOf(await service.authenticate(requestWith()))).toBeInstanceOf(MissingCredentialsError);
  });

  it('takes the token from where the authenticator says', async () => {
    const both = requestWith(bearer('in-header'), '/ws?token=in-query');
    const ids = await Promise.all(
      (['bearer', 'query', undefined] as const).map((tokenSource) =>
        serviceThat(({ token }) => token, { tokenSource }).authenticate(both),
      ),
    );
    expect(ids.map((result) => result.valid && result.user.id)).toEqual(['in-header', 'in-query', 'in-header']);
  });

  it.each([
    42,
    true,
    {},
    [],
    '',
    { valid: true },
    { valid: true, user: null },
    { valid: true, user: {} },
    { claims: {} },
    () => 'alice',
  ])('refuses an answer of %p, and logs it', async (answer) => {
    const result = await serviceThat(() => answer).authenticate(requestWith(bearer(TOKEN)));
    expect(errorOf(result)).toBeInstanceOf(InvalidCredentialsError);
    expect(logs).toHaveLength(1);
  });

  it.each([
    { id: 'alice', expiresAt: NaN },
    { id: 'alice', claims: ['admin'] },
  ])('refuses a user of %p', async (answer) => {
    const result = await serviceThat(() => answer).authenticate(requestWith(bearer(TOKEN)));
    expect(errorOf(result)).toBeInstanceOf(InvalidCredentialsError);
  });

  it('refuses a user whose credentials have expired', async () => {
    const service = serviceThat(({ token }) => ({ id: 'alice', expiresAt: Date.now() + Number(token) }));
    expect((await service.verify('60000')).valid).toBe(true);
    expect(errorOf(await service.verify('-1')).reason).toContain('expired');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('store is down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('store is down'))],
  ])('refuses with the cause when the authenticator %s, and warns', async (_how, authenticate) => {
    const error = errorOf(await serviceThat(authenticate).authenticate(requestWith(bearer(TOKEN))));
    expect(error).toBeInstanceOf(InvalidCredentialsError);
    expect(error.cause).toEqual(new Error('store is down'));
    expect(logs).toEqual([expect.stringMatching(/^warn .*store is down/)]);
  });

  it.each([undefined, null, 0, 'text', Symbol('s')])('refuses when the authenticator throws %p', async (thrown) => {
    const service = serviceThat(() => {
      throw thrown;
    });
    expect(errorOf(await service.authenticate(requestWith(bearer(TOKEN))))).toBeInstanceOf(InvalidCredentialsError);
  });

  it('warns of an outage, and not of a refusal that is thrown on purpose', async () => {
    const errors = [new UnauthorizedException(), new ServiceUnavailableException()];
    const service = serviceThat(() => {
      throw errors.shift();
    });
    await service.verify(TOKEN);
    await service.verify(TOKEN);
    expect(logs.map((line) => line.split(' ')[0])).toEqual(['debug', 'warn']);
  });

  it.each<[string, () => unknown]>([
    ['throws that it cannot decide', () => { throw new AuthenticationUnavailableError('the store is down'); }],
    ['answers that it cannot decide', () => ({ valid: false, error: new AuthenticationUnavailableError('the store is down') })],
    ["throws Nest's 503", () => { throw new ServiceUnavailableException('the store is down'); }],
    ["rejects with Nest's 503", () => Promise.reject(new ServiceUnavailableException('the store is down'))],
  ])('has not judged the credentials of a client when the authenticator %s', async (_what, authenticate) => {
    const error = errorOf(await serviceThat(authenticate).authenticate(requestWith(bearer(TOKEN))));
    expect(error).toBeInstanceOf(AuthenticationUnavailableError);
    expect(error).not.toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ code: 'authentication_unavailable', status: 503 });
    expect(JSON.stringify(error.getResponse())).not.toContain('store');
    expect(logs).toEqual([expect.stringMatching(/^warn The authenticator cannot decide.*the store is down/)]);
  });

  it('passes on the authentication error that an authenticator gives or throws', async () => {
    const error = new MalformedCredentialsError('wrong version');
    expect(errorOf(await serviceThat(() => ({ valid: false, error })).verify(TOKEN))).toBe(error);
    expect(
      errorOf(
        await serviceThat(() => {
          throw error;
        }).verify(TOKEN),
      ),
    ).toBe(error);
  });

  it('lets the token into no error and no log line', async () => {
    const misbehaviours: ((credentials: Credentials) => unknown)[] = [
      () => undefined,
      () => 42,
      ({ token }) => ({ valid: false, error: new Error(`bad ${token}`) }),
      ({ token }) => {
        throw new Error(`bad ${token}`);
      },
      ({ token }) => {
        throw Object.assign(new Error('no'), { config: { data: { token } } });
      },
      ({ token }) => {
        throw token;
      },
      ({ token }) => {
        throw new ServiceUnavailableException(`no answer for ${token}`, { cause: new Error(`no ${token}`) });
      },
      ({ token }) => {
        throw new AuthenticationUnavailableError('no answer', new Error(`no ${token}`));
      },
      ({ token }) => ({ valid: false, error: new AuthenticationUnavailableError(`no answer for ${token}`) }),
      ({ request }) => {
        throw Object.assign(new Error('no'), { request });
      },
      ({ token }) => ({ id: token, expiresAt: 1 }),
    ];
    const requests = [
      requestWith(bearer(TOKEN)),
      requestWith(subprotocol(TOKEN)),
      requestWith({}, `/ws?token=${TOKEN}`),
    ];
    for (const misbehave of misbehaviours) {
      for (const request of requests) {
        const result = await serviceThat(misbehave).authenticate(request, ['header', 'subprotocol', 'query']);
        const shown = inspect(errorOf(result), { depth: null, showHidden: true, maxStringLength: null });
        const encoded = Buffer.from(TOKEN).toString('base64url');
        expect(shown + logs.join('\n')).not.toMatch(new RegExp(`${TOKEN}|${encoded}`));
      }
    }
  });

  it('refuses everybody without an authenticator', async () => {
    const service = new AuthenticationService(undefined);
    expect(service.configured).toBe(false);
    expect((await service.authenticate(requestWith(bearer(TOKEN)))).valid).toBe(false);
  });

  it('prepares the authenticator at the start, which fails when that fails', async () => {
    const prepare = jest.fn(() => Promise.reject(new Error('no key set')));
    await expect(serviceThat(() => undefined, { prepare }).onModuleInit()).rejects.toThrow('no key set');
  });
});
