import { Scope, type Abstract, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type {
  Authenticator,
  AuthenticatorAnswer,
  AuthenticatorFunction,
  AuthenticatorSetting,
  Credentials,
} from './authenticator';
import { InvalidAuthenticatorError } from './configuration.errors';
import { isFunction, isRecord } from './type-checks';

/**
 * The authenticator that `auth.authenticator` stands for.
 *
 * A class or an injection token is looked up at the start of the application, not here: while providers are still being
 * made, DI hands out objects whose constructor has not run.
 *
 * @param setting the value of the option
 * @param moduleRef where classes and tokens are looked up, in all modules
 * @returns undefined when nothing is configured
 * @throws InvalidAuthenticatorError when the setting is nothing that can authenticate
 */
export function resolveAuthenticator(
  setting: AuthenticatorSetting | null | undefined,
  moduleRef: ModuleRef,
): Authenticator | undefined {
  if (setting === undefined || setting === null) return undefined;
  if (isAuthenticator(setting)) return setting;
  if (isAuthenticatorFunction(setting)) return { authenticate: setting };
  if (isFunction(setting) || typeof setting === 'string' || typeof setting === 'symbol') {
    return new InjectedAuthenticator(setting, moduleRef);
  }
  throw new InvalidAuthenticatorError(describe(setting), 'it cannot authenticate');
}

const REQUEST_SCOPED =
  'it is in request scope, or depends on what is, and an authenticator lives as long as the application; it gets the request ' +
  'with the credentials';

type AuthenticatorToken = Type<Authenticator> | Abstract<Authenticator> | string | symbol;

class InjectedAuthenticator implements Authenticator {
  private target: Promise<Authenticator> | undefined;
  private resolved: Authenticator | undefined;

  constructor(
    private readonly setting: AuthenticatorToken,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** Known once the application has started. */
  get tokenSource(): Authenticator['tokenSource'] {
    return this.resolved?.tokenSource;
  }

  async prepare(): Promise<void> {
    this.resolved = await this.resolve();
    await this.resolved.prepare?.();
  }

  async authenticate(credentials: Credentials): Promise<AuthenticatorAnswer> {
    return (await this.resolve()).authenticate(credentials);
  }

  private resolve(): Promise<Authenticator> {
    return (this.target ??= this.lookUp());
  }

  private async lookUp(): Promise<Authenticator> {
    const found = await this.getOrCreate();
    if (isAuthenticator(found)) return found;
    if (isAuthenticatorFunction(found)) return { authenticate: found };
    throw new InvalidAuthenticatorError(describe(this.setting), 'what DI holds for it cannot authenticate');
  }

  private async getOrCreate(): Promise<unknown> {
    try {
      return this.moduleRef.get<unknown>(this.setting, { strict: false });
    } catch (notFound) {
      if (this.isRequestScoped()) throw new InvalidAuthenticatorError(describe(this.setting), REQUEST_SCOPED, notFound);
      if (isAuthenticatorClass(this.setting)) return this.create(this.setting);
      throw new InvalidAuthenticatorError(describe(this.setting), 'no module provides this injection token', notFound);
    }
  }

  private isRequestScoped(): boolean {
    try {
      return this.moduleRef.introspect(this.setting as Type<Authenticator> | string | symbol).scope === Scope.REQUEST;
    } catch {
      return false;
    }
  }

  private async create(type: Type<Authenticator>): Promise<Authenticator> {
    try {
      return await this.moduleRef.create(type);
    } catch (error) {
      throw new InvalidAuthenticatorError(describe(type), 'no module provides it and it could not be made', error);
    }
  }
}

function isAuthenticator(value: unknown): value is Authenticator {
  return isRecord(value) && isFunction(value.authenticate);
}

function isAuthenticatorFunction(value: unknown): value is AuthenticatorFunction {
  return isFunction(value) && !isAuthenticatorClass(value);
}

/** By its source as well: the methods of an abstract class leave no trace at run time. */
function isAuthenticatorClass(value: unknown): value is Type<Authenticator> {
  if (!isFunction(value)) return false;
  const { prototype } = value;
  if (isRecord(prototype) && isFunction(prototype.authenticate)) return true;
  return Function.prototype.toString.call(value).startsWith('class');
}

function describe(setting: unknown): string {
  if (typeof setting === 'function') return `the class ${setting.name}`;
  if (typeof setting === 'string' || typeof setting === 'symbol') return `the injection token ${String(setting)}`;
  return `of type ${typeof setting}`;
}
