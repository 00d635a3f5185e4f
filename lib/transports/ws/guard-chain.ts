import type { IncomingMessage } from 'node:http';
import { type CanActivate, ForbiddenException, type OnModuleInit, type Type, UseGuards } from '@nestjs/common';
import type { ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { isObservable, lastValueFrom } from 'rxjs';
import { isAuthenticatingGuard } from '../../auth';

/** A guard in the module's `guards`: a class, taken from DI, or an object. @publicApi */
export type GuardOption = Type<CanActivate> | CanActivate;

/** A guard class that DI cannot provide. */
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

/**
 * Runs guards at the upgrade. Those that authenticate come first, so that missing credentials are a 401 before any guard
 * says 403, and `APP_GUARD`s already find `request.user`; then the application's global guards, then the rest in the
 * order they are listed in.
 *
 * Guards get an execution context of the type `http` with Node's request. There is no response object.
 */
export class GuardChain {
  private authenticating: readonly CanActivate[] = [];
  private authorise: (request: IncomingMessage) => Promise<unknown> = () => Promise.resolve();
  private readonly host = new UpgradeHandler();

  constructor(
    private readonly contextCreator: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** @throws UnresolvableGuardError */
  async prepare(options: readonly GuardOption[]): Promise<void> {
    const guards = await Promise.all(options.map((option) => this.resolve(option)));
    this.authenticating = guards.filter((guard) => isAuthenticatingGuard(guard));
    this.authorise = this.bind(guards.filter((guard) => !isAuthenticatingGuard(guard)));
  }

  /** @throws UnauthorizedException, ForbiddenException, or whatever else a guard throws */
  async run(request: IncomingMessage): Promise<void> {
    for (const guard of this.authenticating) await this.activate(guard, request);
    await this.authorise(request);
  }

  private async activate(guard: CanActivate, request: IncomingMessage): Promise<void> {
    const context = new ExecutionContextHost([request], UpgradeHandler, upgradeMethod);
    context.setType('http');
    const answer = guard.canActivate(context);
    const passed = isObservable(answer) ? await lastValueFrom(answer) : await answer;
    if (!passed) throw new ForbiddenException();
  }

  /** Nest runs its global guards and these as it would for a route. */
  private bind(guards: readonly CanActivate[]): (request: IncomingMessage) => Promise<unknown> {
    // A function of its own, so that the guards of one application are not those of another in the same process.
    const upgrade = (): void => undefined;
    if (guards.length > 0) UseGuards(...guards)(upgrade);
    return this.contextCreator.create(
      this.host,
      upgrade,
      'upgrade',
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, interceptors: false, filters: false },
      'http',
    ) as (request: IncomingMessage) => Promise<unknown>;
  }

  private async resolve(option: GuardOption): Promise<CanActivate> {
    if (typeof option !== 'function') return option;
    let provided: CanActivate;
    try {
      provided = this.moduleRef.get(option, { strict: false });
    } catch {
      return this.create(option);
    }
    return provided;
  }

  private async create(guard: Type<CanActivate>): Promise<CanActivate> {
    try {
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

/** What guards see as the handler's class. */
class UpgradeHandler {
  [method: string]: (...args: unknown[]) => unknown;
}

/** And as the handler. */
function upgradeMethod(): void {}
