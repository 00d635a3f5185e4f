import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper';
import type { ChannelRules } from '../hub/channel-settings';
import { HANDLER_METADATA, type HandlerMetadata } from './decorators';
import type { HandlerFactory } from './handler-factory';
import type { HandlerRegistry } from './handler-registry';

/** Kinds of handlers that declare the channels of their pattern. */
const DECLARING: Readonly<Record<string, string>> = { subscribe: '@OnSubscribe', publish: '@SubscribeChannel' };

/** Finds the decorated methods of all providers and controllers. */
export class HandlerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly factory: HandlerFactory,
    private readonly rules: ChannelRules,
  ) {}

  /**
   * @throws DuplicatePatternError, DuplicateMessageTypeError, ReservedMessageTypeError, ChannelPatternError,
   * UnresolvableEnhancerError
   */
  explore(registry: HandlerRegistry): void {
    const seen = new Set<unknown>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const prototype = prototypeOf(wrapper);
      // The same class in two modules is still one set of handlers.
      if (!prototype || wrapper.isAlias || seen.has(prototype)) continue;
      seen.add(prototype);
      this.exploreProvider(wrapper, prototype, registry);
    }
  }

  private exploreProvider(wrapper: InstanceWrapper, prototype: object, registry: HandlerRegistry): void {
    for (const methodName of this.scanner.getAllMethodNames(prototype)) {
      const method = (prototype as Record<string, object>)[methodName]!;
      const decorations = (Reflect.getMetadata(HANDLER_METADATA, method) ?? []) as HandlerMetadata[];
      for (const metadata of decorations) {
        registry.add(metadata.kind, this.factory.create(wrapper, methodName, metadata));
        const declaredBy = DECLARING[metadata.kind];
        if (declaredBy !== undefined) this.rules.declare(metadata.pattern, declaredBy);
      }
    }
  }
}

function prototypeOf(wrapper: InstanceWrapper): object | undefined {
  const instance = wrapper.instance as object | undefined;
  if (wrapper.isDependencyTreeStatic()) {
    return typeof instance === 'object' && instance !== null ? (Object.getPrototypeOf(instance) as object) : undefined;
  }
  return (wrapper.metatype as { prototype?: object } | null)?.prototype;
}
