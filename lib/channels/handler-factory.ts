import { type ContextType, HttpException, Logger } from '@nestjs/common';
import { GUARDS_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { type ContextId, ContextIdFactory, type ExternalContextCreator, ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper';
import { WsParamsFactory } from '@nestjs/websockets/factories/ws-params-factory';
import { WsException } from '@nestjs/websockets';
import { describeError } from '../hub/describe-error';
import { RealtimeError } from '../protocol/errors';
import type { HandlerKind, HandlerMetadata } from './decorators';
import { type DtoParameter, findDtoParameters } from './dto-parameters';
import { createFilterRunner, type RunFilters } from './exception-filters';
import type { Handler } from './handler';
import type { HandlerArguments } from './handler-context';
import { assertEnhancersResolvable, contextCreatorOf } from './host-module';
import type { DtoValidator } from './validation';

type Method = (...args: unknown[]) => unknown;
/** What `ExternalContextCreator` wants; Nest's own type of the WebSocket one is narrower than what it accepts. */
type ParamsFactory = NonNullable<Parameters<ExternalContextCreator['create']>[4]>;
type Invoke = (args: HandlerArguments) => Promise<unknown>;

/** The method that a handler is made of. */
interface Target {
  readonly wrapper: InstanceWrapper;
  readonly methodName: string;
  readonly kind: HandlerKind;
}

/** Hooks that clean up. A guard that says no must not keep them from running. */
const UNGUARDED: ReadonlySet<HandlerKind> = new Set(['unsubscribe', 'disconnect']);

/**
 * Turns a decorated method into a {@link Handler}: guards, interceptors and pipes around it as around a controller's
 * (Nest's `ExternalContextCreator`), then the DTO validation, then the method; and filters for what any of them throws.
 */
export class HandlerFactory {
  private readonly paramsFactory = new WsParamsFactory() as ParamsFactory;
  private readonly logger = new Logger('Realtime');

  constructor(
    private readonly contextCreator: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    private readonly validator: DtoValidator,
  ) {}

  /** @throws UnresolvableEnhancerError */
  create(wrapper: InstanceWrapper, methodName: string, metadata: HandlerMetadata): Handler {
    const target: Target = { wrapper, methodName, kind: metadata.kind };
    const name = `${classNameOf(wrapper)}.${methodName}`;
    assertEnhancersResolvable(wrapper, methodName, name);
    // Of a transient provider there is no instance to share either.
    const isShared = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    const invoke = isShared ? this.bind(wrapper.instance as object, target) : this.bindPerCall(target);
    return {
      name,
      pattern: metadata.pattern,
      options: metadata.options,
      invoke,
    };
  }

  /** For a provider in request scope: a new instance, and new request-scoped enhancers, for every call. */
  private bindPerCall(target: Target): Invoke {
    const { wrapper } = target;
    // Other modules may have a provider under the same token.
    const moduleRef = wrapper.host?.getProviderByKey<ModuleRef>(ModuleRef)?.instance ?? this.moduleRef;
    return async (args) => {
      const contextId = ContextIdFactory.create();
      moduleRef.registerRequestByContextId({ client: args[0], data: args[1], context: args[2] }, contextId);
      const instance = await moduleRef.resolve<object>(wrapper.token, contextId, { strict: wrapper.host !== undefined });
      return this.bind(instance, target, contextId)(args);
    };
  }

  private bind(instance: object, { wrapper, methodName, kind }: Target, contextId?: ContextId): Invoke {
    const creator = contextCreatorOf(this.contextCreator, wrapper, this.validator);
    const inquirerId = contextId && wrapper.id;
    const method = (instance as Record<string, Method>)[methodName]!;
    const contextType: ContextType = kind === 'handshake' ? 'http' : 'ws';
    const parameters = findDtoParameters(instance, methodName);
    const target = creator.create(
      instance,
      this.withValidation(method, parameters),
      methodName,
      ROUTE_ARGS_METADATA,
      this.paramsFactory,
      contextId,
      inquirerId,
      { guards: this.isGuarded(kind, instance, method), interceptors: true, filters: false },
      contextType,
    ) as (...args: unknown[]) => Promise<unknown>;
    const runFilters = createFilterRunner(creator, instance, method, contextId, inquirerId);

    return async (args) => {
      try {
        return await target(...args);
      } catch (error) {
        throw await this.filter(error, args, runFilters, contextType);
      }
    };
  }

  /**
   * The global guards have run at the upgrade when a handshake handler is called: they run again only where the handler
   * has guards of its own, which Nest does not let run without them.
   */
  private isGuarded(kind: HandlerKind, instance: object, method: Method): boolean {
    if (kind !== 'handshake') return !UNGUARDED.has(kind);
    return Reflect.hasMetadata(GUARDS_METADATA, method) || Reflect.hasMetadata(GUARDS_METADATA, instance.constructor);
  }

  /** Guards, pipes and interceptors read their metadata from the function, so the wrapper carries it all. */
  private withValidation(method: Method, parameters: readonly DtoParameter[]): Method {
    const { validator } = this;
    const validated = async function (this: object, ...values: unknown[]): Promise<unknown> {
      for (const { index, metatype } of parameters) {
        values[index] = await validator.validate(values[index], metatype);
      }
      return method.apply(this, values);
    };
    for (const key of Reflect.getMetadataKeys(method) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, method), validated);
    }
    Object.defineProperty(validated, 'name', { value: method.name });
    return validated;
  }

  /** @returns the exception to answer with: a filter's own, or the one it did not change */
  private async filter(
    error: unknown,
    args: HandlerArguments,
    runFilters: RunFilters,
    contextType: string,
  ): Promise<unknown> {
    try {
      const answer = await runFilters(error, args, contextType);
      return answer instanceof Error ? answer : error;
    } catch (thrown) {
      if (isForClient(thrown)) return thrown;
      this.logger.error('An exception filter failed; the exception is answered without it', describeError(thrown));
      return error;
    }
  }
}

/** A provider may stand under a token that says nothing. */
function classNameOf(wrapper: InstanceWrapper): string {
  const instance = wrapper.instance as object | undefined;
  return instance?.constructor.name ?? String(wrapper.name);
}

function isForClient(error: unknown): boolean {
  return error instanceof HttpException || error instanceof WsException || error instanceof RealtimeError;
}
