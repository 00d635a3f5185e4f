import 'reflect-metadata';
import { TokenGuard } from './token.guard';

const AUTHENTICATING = 'nestjs-realtime:authenticating-guard';

/** Marks a guard class that authenticates without being a {@link TokenGuard} itself. */
export function markAuthenticating(guardClass: object): void {
  Reflect.defineMetadata(AUTHENTICATING, true, guardClass);
}

/**
 * Whether a guard asks the application's authenticator: a {@link TokenGuard}, or an `anyOf` with one in it.
 *
 * @param guard a guard's class or an instance of it
 */
export function isAuthenticatingGuard(guard: unknown): boolean {
  if (typeof guard === 'function') {
    return guard.prototype instanceof TokenGuard || Reflect.getMetadata(AUTHENTICATING, guard) === true;
  }
  if (typeof guard !== 'object' || guard === null) return false;
  return guard instanceof TokenGuard || Reflect.getMetadata(AUTHENTICATING, guard.constructor) === true;
}
