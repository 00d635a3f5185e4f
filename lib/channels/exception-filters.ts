import { Logger } from '@nestjs/common';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';

type Method = (...args: unknown[]) => unknown;

/** The part of Nest's `ExternalExceptionFilterContext` that is used here. */
interface FilterContextCreator {
  create(instance: object, callback: Method, moduleKey: string, contextId?: ContextId, inquirerId?: string): {
    invokeCustomFilters(exception: unknown, host: ExecutionContextHost): unknown;
  };
}

/** Runs the filters that apply to a handler: the method's, the class's, and global ones. */
export type RunFilters = (exception: unknown, args: readonly unknown[], contextType: string) => Promise<unknown>;

/**
 * Finds a handler's exception filters.
 *
 * Nest offers filters to handlers outside a controller only by wrapping the call (`ExternalContextCreator.create` with
 * `filters: true`). That hides whether a filter has answered, and writes a log line for every exception that none
 * catches, which would let any client fill the log. So its creator of filter contexts is used directly. Where a later
 * Nest has no such member, filters are left out with a warning, and exceptions are still mapped.
 */
export function createFilterRunner(
  creator: ExternalContextCreator,
  instance: object,
  callback: Method,
  contextId?: ContextId,
  inquirerId?: string,
): RunFilters {
  const { filtersContextCreator } = creator as unknown as { filtersContextCreator?: FilterContextCreator };
  if (typeof filtersContextCreator?.create !== 'function') {
    new Logger('Realtime').warn('This version of Nest does not let exception filters run on channel handlers');
    return () => Promise.resolve(undefined);
  }
  const moduleKey = creator.getContextModuleKey(instance.constructor);
  const context = filtersContextCreator.create(instance, callback, moduleKey, contextId, inquirerId);
  return async (exception, args, contextType) => {
    const host = new ExecutionContextHost([...args]);
    host.setType(contextType);
    return context.invokeCustomFilters(exception, host);
  };
}
