import { Injectable, Module, type FactoryProvider, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { AuthenticationService } from '../../../lib/auth/authentication.service';
import {
  REALTIME_AUTHENTICATOR,
  type Authenticator,
  type AuthenticatorSetting,
  type Credentials,
} from '../../../lib/auth/authenticator';
import { InvalidAuthenticatorError } from '../../../lib/auth/configuration.errors';
import { resolveAuthenticator } from '../../../lib/auth/resolve-authenticator';

@Injectable()
class Users {
  readonly byToken = new Map([['token-a', 'alice']]);
}

@Injectable()
class UsersAuthenticator implements Authenticator {
  readonly tokenSource = 'query';
  readonly made = {};

  constructor(readonly users: Users) {}

  authenticate({ token }: Credentials) {
    return this.users.byToken.get(token!);
  }
}

abstract class AbstractAuthenticator implements Authenticator {
  abstract authenticate(credentials: Credentials): string | undefined;
}

@Injectable()
class NeedsNothing {}

const lookUp = ({ token }: Credentials) => (token === 'token-a' ? 'alice' : undefined);

async function start(setting: unknown, provided: Provider[] = []): Promise<AuthenticationService> {
  // In a module of its own, made after the setting is read, as an application's authenticator may be.
  @Module({ providers: provided })
  class ApplicationModule {}
  const authenticator: FactoryProvider = {
    provide: REALTIME_AUTHENTICATOR,
    inject: [ModuleRef],
    useFactory: (moduleRef: ModuleRef) => resolveAuthenticator(setting as AuthenticatorSetting, moduleRef),
  };
  @Module({ providers: [authenticator, AuthenticationService, Users], exports: [AuthenticationService] })
  class CoreModule {}
  const module = await Test.createTestingModule({ imports: [CoreModule, ApplicationModule] }).compile();
  await module.init();
  return module.get(AuthenticationService, { strict: false });
}

describe('auth.authenticator', () => {
  it.each<[string, unknown, Provider[]]>([
    ['an authenticator', { authenticate: lookUp }, []],
    ['an arrow function', lookUp, []],
    [
      'an old-fashioned function',
      function (credentials: Credentials) {
        return lookUp(credentials);
      },
      [],
    ],
    ['an async function', async (credentials: Credentials) => Promise.resolve(lookUp(credentials)), []],
    ['a class that a module provides', UsersAuthenticator, [UsersAuthenticator, Users]],
    ['a class that no module provides', UsersAuthenticator, []],
    ['a string token', 'AUTHENTICATOR', [{ provide: 'AUTHENTICATOR', useValue: { authenticate: lookUp } }]],
    ['the token of a function', 'AUTHENTICATOR', [{ provide: 'AUTHENTICATOR', useValue: lookUp }]],
    [
      'an abstract class',
      AbstractAuthenticator,
      [{ provide: AbstractAuthenticator, useValue: { authenticate: lookUp } }],
    ],
    ['the token of a class', 'AUTHENTICATOR', [Users, { provide: 'AUTHENTICATOR', useClass: UsersAuthenticator }]],
  ])('may be %s', async (_what, setting, provided) => {
    const service = await start(setting, provided);
    expect(service.configured).toBe(true);
    expect(await service.verify('token-a')).toEqual({ valid: true, user: { id: 'alice', claims: {} } });
    expect((await service.verify('token-b')).valid).toBe(false);
  });

  it('may be absent', async () => {
    expect((await start(undefined)).configured).toBe(false);
  });

  it('says where the token is, when it comes from DI', async () => {
    expect((await start(UsersAuthenticator)).defaultSources).toEqual(['query']);
  });

  it('prepares one that comes from DI', async () => {
    const prepare = jest.fn();
    await start('AUTHENTICATOR', [{ provide: 'AUTHENTICATOR', useValue: { authenticate: lookUp, prepare } }]);
    expect(prepare).toHaveBeenCalledTimes(1);
  });

  it.each<[string, unknown, Provider[]]>([
    ['a number', 42, []],
    ['an object that cannot authenticate', {}, []],
    ['a token that nobody provides', 'NOWHERE', []],
    ['a token of something else', 'VALUE', [{ provide: 'VALUE', useValue: { verify: lookUp } }]],
    ['a class that is no authenticator', NeedsNothing, []],
  ])('stops the start when it is %s', async (_what, setting, provided) => {
    await expect(start(setting, provided)).rejects.toThrow(InvalidAuthenticatorError);
  });
});
