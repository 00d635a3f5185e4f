import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, type OnModuleInit, Scope, type Type } from '@nestjs/common';
import { SCOPE_OPTIONS_METADATA } from '@nestjs/common/constants';
import { type ApplicationConfig, type ContextId, ContextIdFactory, type ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';

/** A guard in the module's `guards`: a class, taken from DI, or an object. @publicApi */
export type GuardOption = Type<CanActivate> | CanActivate;

/** A guard class that DI cannot provide. @publicApi */
export class UnresolvableGuardError extends Error {
  override name = 'UnresolvableGuardError';

  constructor(
    readonly guard: string,
    cause: unknown,
  ) {
    super(
      `The guard ${guard} in RealtimeModule's "guards" could not be made (${cause instanceof Error ? cause.message : String(cause)}). ` +
        'List it among the providers of a module that can see its dependencies.',
      { cause },
    );
  }
}

type Token = Parameters<ModuleRef['resolve']>[0];

/** Makes guards of classes: those in request scope anew for every upgrade, which Nest does only for its own routes. */
export class GuardResolver {
  /** What is made for one request belongs together. */
  private readonly contexts = new WeakMap<IncomingMessage, ContextId>();

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly config: ApplicationConfig,
  ) {}

  /** @throws UnresolvableGuardError */
  async resolve(option: GuardOption): Promise<CanActivate> {
    if (typeof option !== 'function') return option;
    switch (this.scopeOf(option)) {
      case undefined:
        return this.create(option);
      case Scope.REQUEST:
        return this.perRequest(option);
      case Scope.TRANSIENT:
        return this.moduleRef.resolve(option, undefined, { strict: false });
      default:
        return this.moduleRef.get(option, { strict: false });
    }
  }

  /** The `APP_GUARD`s that Nest leaves out where it runs only what lives as long as the application. */
  globalPerRequest(): CanActivate[] {
    return this.config.getGlobalRequestGuards().map(({ token }) => this.perRequest(token as Token));
  }

  private perRequest(token: Token): CanActivate {
    return {
      canActivate: async (context: ExecutionContext) => {
        const contextId = this.contextOf(context.switchToHttp().getRequest<IncomingMessage>());
        const guard = await this.moduleRef.resolve<CanActivate>(token, contextId, { strict: false });
        return passes(guard, context);
      },
    };
  }

  private contextOf(request: IncomingMessage): ContextId {
    let contextId = this.contexts.get(request);
    if (!contextId) {
      contextId = ContextIdFactory.getByRequest(request);
      this.contexts.set(request, contextId);
      this.moduleRef.registerRequestByContextId(request, contextId);
    }
    return contextId;
  }

  /** @returns undefined for a class that no module provides */
  private scopeOf(guard: Type<CanActivate>): Scope | undefined {
    try {
      return this.moduleRef.introspect(guard).scope;
    } catch {
      return undefined;
    }
  }

  private async create(guard: Type<CanActivate>): Promise<CanActivate> {
    try {
      if (isRequestScoped(guard)) throw new TypeError('it is in request scope, and no module provides it');
      const created = await this.moduleRef.create<CanActivate & Partial<OnModuleInit>>(guard);
      // Nest runs this hook only on what a module provides.
      await created.onModuleInit?.();
      return created;
    } catch (error) {
      if (error instanceof Error && error.name === 'MissingAuthenticatorError') throw error;
      throw new UnresolvableGuardError(guard.name, error);
    }
  }
}

/** Whether a guard lets the request pass, in whichever form it answers. */
export async function passes(guard: CanActivate, context: ExecutionContext): Promise<boolean> {
  const answer = guard.canActivate(context);
  return isObservable(answer) ? lastValueFrom(answer) : answer;
}

function isRequestScoped(guard: Type<CanActivate>): boolean {
  const options = Reflect.getMetadata(SCOPE_OPTIONS_METADATA, guard) as { scope?: Scope } | undefined;
  return options?.scope === Scope.REQUEST;
}
