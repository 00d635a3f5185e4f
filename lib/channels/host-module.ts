import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '@nestjs/common/constants';
import type { ExternalContextCreator } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper';
import { isObservable, lastValueFrom } from 'rxjs';
import { structuredPipes } from './parameter-pipes';
import type { DtoValidator } from './validation';

/** A guard, pipe, interceptor or filter class on a handler that Nest has made no instance of. @publicApi */
export class UnresolvableEnhancerError extends Error {
  override name = 'UnresolvableEnhancerError';

  constructor(
    /** The class of the guard, pipe, interceptor or filter. */
    readonly enhancer: string,
    readonly handler: string,
  ) {
    super(
      `${handler} is decorated with ${enhancer}, which would not run: Nest makes the guards, pipes, interceptors and filters ` +
        'of providers that it makes itself. Provide the class by "useClass", or decorate with an instance.',
    );
  }
}

/** What may be given to `@UseGuards` and its like as a class, and the method that makes it one. */
const ENHANCERS: readonly (readonly [metadata: string, method: string])[] = [
  [GUARDS_METADATA, 'canActivate'],
  [INTERCEPTORS_METADATA, 'intercept'],
  [PIPES_METADATA, 'transform'],
  [EXCEPTION_FILTERS_METADATA, 'catch'],
];

/**
 * A view of Nest's context creator that knows the handler's module. By itself Nest looks for it by the handler's class,
 * among providers alone: for a controller it finds none, and leaves out every guard that is given as a class. Nor do its
 * pipes say more of a failed validation than lines of text, and to an Observable without values it objects.
 */
export function contextCreatorOf(
  creator: ExternalContextCreator,
  wrapper: InstanceWrapper,
  validator: DtoValidator,
): ExternalContextCreator {
  const moduleKey = (): string => wrapper.host?.token ?? '';
  return Object.create(creator, {
    getContextModuleKey: { value: moduleKey },
    getHostModuleKey: { value: moduleKey },
    getParamValue: { value: structuredPipes(creator, validator) },
    transformToResult: { value: lastValueOrNothing },
  }) as ExternalContextCreator;
}

/** An Observable that ends without a value is a handler, or an interceptor, that has nothing to say. */
async function lastValueOrNothing(result: unknown): Promise<unknown> {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

/**
 * Nest skips in silence what it has no instance of. A handler that runs without its guard is worse than no start.
 *
 * @throws UnresolvableEnhancerError
 */
export function assertEnhancersResolvable(wrapper: InstanceWrapper, methodName: string, handler: string): void {
  const instance = wrapper.instance as Record<string, object> | undefined;
  const prototype = (instance ?? (wrapper.metatype as { prototype?: object } | null)?.prototype) as typeof instance;
  if (!prototype) return;
  for (const [metadata, enhancing] of ENHANCERS) {
    for (const decorated of [prototype.constructor, prototype[methodName]!]) {
      const enhancers = (Reflect.getMetadata(metadata, decorated) ?? []) as unknown[];
      const missing = enhancers.find((enhancer) => !isResolvable(wrapper, enhancer, enhancing));
      if (missing !== undefined) throw new UnresolvableEnhancerError((missing as { name: string }).name, handler);
    }
  }
}

function isResolvable(wrapper: InstanceWrapper, enhancer: unknown, method: string): boolean {
  if (typeof enhancer !== 'function' || wrapper.host?.injectables.has(enhancer)) return true;
  // Nest also takes a class whose static method does the work.
  return typeof (enhancer as unknown as Record<string, unknown>)[method] === 'function';
}
