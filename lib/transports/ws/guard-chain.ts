import type { IncomingMessage } from 'node:http';
import { type CanActivate, ForbiddenException, UseGuards } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { isAuthenticatingGuard } from '../../auth';
import { RealtimeContext } from '../../channels/handler-context';
import { type GuardOption, type GuardResolver, passes } from './guard-resolver';

type GuardArguments = readonly [request: IncomingMessage, response: undefined, context: RealtimeContext];

/**
 * Runs guards at the upgrade. Those that authenticate come first, so that missing credentials are a 401 before any guard
 * says 403, and `APP_GUARD`s already find `request.user`; then the application's global guards, then the rest in the
 * order they are listed in.
 *
 * Guards get an execution context of the type `http` with Node's request. There is no response object; guards that need
 * one can tell by `isRealtimeContext`.
 */
export class GuardChain {
  private authenticating: readonly CanActivate[] = [];
  private authorise: (...args: GuardArguments) => Promise<unknown> = () => Promise.resolve();
  private readonly host = new UpgradeHandler();

  constructor(
    private readonly contextCreator: ExternalContextCreator,
    private readonly resolver: GuardResolver,
  ) {}

  /** @throws UnresolvableGuardError */
  async prepare(options: readonly GuardOption[]): Promise<void> {
    const authenticating: CanActivate[] = [];
    const others = this.resolver.globalPerRequest();
    for (const option of options) {
      const guard = await this.resolver.resolve(option);
      const authenticates = isAuthenticatingGuard(option) || isAuthenticatingGuard(guard);
      (authenticates ? authenticating : others).push(guard);
    }
    this.authenticating = authenticating;
    this.authorise = this.bind(others);
  }

  /** @throws UnauthorizedException, ForbiddenException, or whatever else a guard throws */
  async run(request: IncomingMessage): Promise<void> {
    const args: GuardArguments = [request, undefined, new RealtimeContext('handshake', undefined, {})];
    for (const guard of this.authenticating) await this.activate(guard, args);
    await this.authorise(...args);
  }

  private async activate(guard: CanActivate, args: GuardArguments): Promise<void> {
    const context = new ExecutionContextHost([...args], UpgradeHandler, upgradeMethod);
    context.setType('http');
    if (!(await passes(guard, context))) throw new ForbiddenException();
  }

  /** Nest runs its global guards and these as it would for a route. */
  private bind(guards: readonly CanActivate[]): (...args: GuardArguments) => Promise<unknown> {
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
    ) as (...args: GuardArguments) => Promise<unknown>;
  }
}

/** What guards see as the handler's class. */
class UpgradeHandler {
  [method: string]: (...args: unknown[]) => unknown;
}

/** And as the handler. */
function upgradeMethod(): void {}
