import { type DiscoveryService, type ExternalContextCreator, MetadataScanner, type ModuleRef } from '@nestjs/core';
import type { ValidationPipeOptions } from '@nestjs/common';
import type { HubCore } from '../hub/hub-core';
import { ChannelCommands } from './channel-commands';
import { CommandDispatcher, type DispatchLimits } from './command-dispatcher';
import { ConnectionHooks } from './connection-hooks';
import { ErrorMapper } from './error-mapper';
import { HandlerExplorer } from './handler-explorer';
import { HandlerFactory } from './handler-factory';
import { HandlerRegistry } from './handler-registry';
import { MessageCommands } from './message-commands';
import { SessionCommands } from './session-commands';
import type { TokenRefresher } from './token-refresher';
import { DtoValidator } from './validation';

/** What the channel layer takes from Nest. */
export interface ChannelLayerTools {
  readonly discovery: DiscoveryService;
  readonly contextCreator: ExternalContextCreator;
  readonly moduleRef: ModuleRef;
}

/** Handlers, and what leads to them: the layer between the transports and the hub, put together. */
export class ChannelLayer {
  readonly hooks: ConnectionHooks;
  readonly dispatcher: CommandDispatcher;
  private readonly handlers = new HandlerRegistry();
  private readonly explorer: HandlerExplorer;

  constructor(
    private readonly hub: HubCore,
    { discovery, contextCreator, moduleRef }: ChannelLayerTools,
    validation: ValidationPipeOptions | false,
    tokens: TokenRefresher | undefined,
    limits: DispatchLimits,
  ) {
    const factory = new HandlerFactory(contextCreator, moduleRef, new DtoValidator(validation));
    this.explorer = new HandlerExplorer(discovery, new MetadataScanner(), factory, hub.rules);
    this.dispatcher = new CommandDispatcher(
      hub,
      new ChannelCommands(hub, this.handlers),
      new MessageCommands(hub, this.handlers),
      new SessionCommands(hub, tokens),
      new ErrorMapper(),
      limits,
    );
    this.hooks = new ConnectionHooks(this.handlers, () => this.dispatcher.idle());
  }

  /** Finds the handlers and connects them to the hub. @throws on patterns that cannot stand together */
  start(): void {
    this.explorer.explore(this.handlers);
    this.hub.lifecycle.hooks = this.hooks;
  }
}
