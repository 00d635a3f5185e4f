import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { isFunction, isRecord } from '../type-checks';
import { isAuthenticatingGuard, markAuthenticating } from './authenticating-guard';
import { mostTelling, PlainRefusal } from './refusal-rank';

/**
 * A guard that passes when one of its members does. They are asked in the order given, up to the first that passes.
 * When none does, the most telling refusal is thrown: wrong credentials before missing ones, and those before a bare
 * `false`.
 *
 * @param guards classes of guards without request scope: from DI where a module provides them, else made through it
 * @throws TypeError when no guard, or something that is no class, is given
 * @example
 * RealtimeModule.forRoot({ guards: [anyOf(BearerTokenGuard, SessionGuard)], auth: { authenticator } })
 *
 * @publicApi
 */
export function anyOf(...guards: readonly Type<CanActivate>[]): Type<CanActivate> {
  checkMembers(guards);

  @Injectable()
  class AnyOfGuard implements CanActivate {
    private members: Promise<CanActivate[]> | undefined;

    constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

    /** Members that cannot be made stop the start, where the guard is part of a module. */
    async onModuleInit(): Promise<void> {
      await this.resolveMembers();
    }

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const refusals: unknown[] = [];
      for (const member of await this.resolveMembers()) {
        const restoreUser = rememberUser(context);
        const refusal = await refusalOf(member, context);
        if (refusal === undefined) return true;
        // Whom a guard has found and then refused is nobody's user.
        restoreUser();
        refusals.push(refusal);
      }
      throw mostTelling(refusals);
    }

    private resolveMembers(): Promise<CanActivate[]> {
      return (this.members ??= Promise.all(guards.map((guard) => resolveGuard(guard, this.moduleRef))));
    }
  }

  Object.defineProperty(AnyOfGuard, 'name', { value: `AnyOf(${guards.map((guard) => guard.name).join(', ')})` });
  if (guards.some((guard) => isAuthenticatingGuard(guard))) markAuthenticating(AnyOfGuard);
  return AnyOfGuard;
}

function checkMembers(guards: readonly unknown[]): void {
  if (guards.length === 0) throw new TypeError('anyOf() needs at least one guard');
  const wrong = guards.findIndex((guard) => !isGuardClass(guard));
  if (wrong === -1) return;
  throw new TypeError(`anyOf(): argument ${wrong + 1} is no guard class (a class with a canActivate method)`);
}

function isGuardClass(value: unknown): value is Type<CanActivate> {
  return isFunction(value) && isRecord(value.prototype) && isFunction(value.prototype.canActivate);
}

async function resolveGuard(guard: Type<CanActivate>, moduleRef: ModuleRef): Promise<CanActivate> {
  let provided: CanActivate;
  try {
    provided = moduleRef.get(guard, { strict: false });
  } catch {
    return moduleRef.create(guard);
  }
  return provided;
}

function rememberUser(context: ExecutionContext): () => void {
  if (context.getType() !== 'http') return () => undefined;
  const request = context.switchToHttp().getRequest<{ user?: unknown }>();
  const { user } = request;
  return () => {
    if (request.user !== user) request.user = user;
  };
}

/** @returns undefined when the guard passes, else what it refuses with */
async function refusalOf(guard: CanActivate, context: ExecutionContext): Promise<unknown> {
  try {
    const answer = guard.canActivate(context);
    const passed = isObservable(answer) ? await lastValueFrom(answer) : await answer;
    return passed ? undefined : new PlainRefusal();
  } catch (error) {
    return error ?? new PlainRefusal();
  }
}
