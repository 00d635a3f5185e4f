import type { IncomingMessage } from 'node:http';
import { type CanActivate, ForbiddenException, HttpException, HttpStatus, UseGuards } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { isAuthenticatingGuard } from '../../auth';
import { RealtimeContext } from '../../channels/handler-context';
import { type GuardOption, type GuardResolver, passes } from './guard-resolver';

type GuardArguments = readonly [request: IncomingMessage, response: undefined, context: RealtimeContext];

/** What Nest says when a guard answers no. */
const REFUSED = 'Forbidden resource';

/**
 * Runs guards at the upgrade: those of the module's option first, in the order they are listed in, but for those that ask
 * the authenticator, which go before all others; then the application's global ones. So whoever is found by a token, a
 * cookie or anything else is in `request.user` when an `APP_GUARD` looks for a role, and missing credentials are a 401
 * before any guard says 403.
 *
 * Guards get an execution context of the type `http` with Node's request. There is no response object; guards that need
 * one can tell by `isRealtimeContext`.
 */
export class GuardChain {
  private listed: readonly CanActivate[] = [];
  private runGlobal: (...args: GuardArguments) => Promise<unknown> = () => Promise.resolve();
  private readonly host = new UpgradeHandler();

  constructor(
    private readonly contextCreator: ExternalContextCreator,
    private readonly resolver: GuardResolver,
  ) {}

  /** @throws UnresolvableGuardError */
  async prepare(options: readonly GuardOption[]): Promise<void> {
    const authenticating: CanActivate[] = [];
    const others: CanActivate[] = [];
    for (const option of options) {
      const guard = await this.resolver.resolve(option);
      const authenticates = isAuthenticatingGuard(option) || isAuthenticatingGuard(guard);
      (authenticates ? authenticating : others).push(guard);
    }
    this.listed = [...authenticating, ...others];
    this.runGlobal = this.bind(this.resolver.globalPerRequest());
  }

  /** @throws UnauthorizedException, ForbiddenException, or whatever else a guard throws */
  async run(request: IncomingMessage): Promise<void> {
    const args: GuardArguments = [request, undefined, new RealtimeContext('handshake', undefined, {})];
    try {
      for (const guard of this.listed) await this.activate(guard, args);
    } catch (refusal) {
      // The one that authenticates may be a global one, and the role missing for want of a user.
      if (hasStatus(refusal, HttpStatus.FORBIDDEN)) await this.assertNotUnauthorized(args);
      throw refusal;
    }
    await this.runGlobal(...args);
  }

  private async activate(guard: CanActivate, args: GuardArguments): Promise<void> {
    const context = new ExecutionContextHost([...args], UpgradeHandler, upgradeMethod);
    context.setType('http');
    if (!(await passes(guard, context))) throw new ForbiddenException(REFUSED);
  }

  private async assertNotUnauthorized(args: GuardArguments): Promise<void> {
    try {
      await this.runGlobal(...args);
    } catch (error) {
      if (hasStatus(error, HttpStatus.UNAUTHORIZED)) throw error;
    }
  }

  /** Nest runs its global guards, and these, as it would for a route. */
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

function hasStatus(error: unknown, status: HttpStatus): boolean {
  return error instanceof HttpException && error.getStatus() === status.valueOf();
}

/** What guards see as the handler's class. */
class UpgradeHandler {
  [method: string]: (...args: unknown[]) => unknown;
}

/** And as the handler. */
function upgradeMethod(): void {}
