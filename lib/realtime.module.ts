import type { Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AuthenticationService } from './auth';
import { ChannelLayer } from './channels/channel-layer';
import { HubCore } from './hub/hub-core';
import { DuplicateModuleError } from './realtime.errors';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, OPTIONS_TYPE } from './realtime.module-definition';
import { effectiveGuards, realtimeExports, realtimeProviders } from './realtime.providers';
import { REALTIME_SETTINGS, type RealtimeSettings } from './realtime.settings';
import { mountEventStreams } from './transports/sse/mount';
import { SseGateway } from './transports/sse/sse-gateway';
import { GuardChain } from './transports/ws/guard-chain';
import { RealtimeGateway } from './transports/ws/realtime.gateway';
import { WsAdapterSlot } from './transports/ws/ws-adapter-slot';

/**
 * Channels over WebSocket and Server-Sent Events for a Nest application.
 *
 * @example
 * \@Module({ imports: [RealtimeModule.forRoot({ path: '/ws', channels: { 'room:{name}': {} } })] })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({ imports: [DiscoveryModule], providers: realtimeProviders, exports: realtimeExports })
export class RealtimeModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    private readonly hub: HubCore,
    private readonly channels: ChannelLayer,
    private readonly gateway: RealtimeGateway,
    @Inject(SseGateway) private readonly streams: SseGateway | undefined,
    private readonly guards: GuardChain,
    private readonly authentication: AuthenticationService,
    private readonly adapterSlot: WsAdapterSlot,
    private readonly httpAdapterHost: HttpAdapterHost,
    private readonly application: ApplicationConfig,
    private readonly modules: ModulesContainer,
    @Inject(REALTIME_SETTINGS) private readonly settings: RealtimeSettings,
  ) {
    super();
  }

  /**
   * @param options see `RealtimeModuleOptions`; `isGlobal` makes the module's exports visible everywhere
   * @throws RealtimeOptionsError when the application starts, for an option that cannot be used; DuplicateModuleError for
   * a second call in one application
   */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** The same, with options from a factory, a class or an existing provider. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  async onModuleInit(): Promise<void> {
    this.assertOnlyOne();
    this.channels.start();
    await this.guards.prepare(effectiveGuards(this.settings.guards, this.authentication));
    const server = this.httpServer();
    if (!server) return;
    this.adapterSlot.get().serve(this.gateway, server);
    if (!this.streams) return;
    mountEventStreams(this.httpAdapterHost.httpAdapter, this.streams, this.application.getGlobalPrefix());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.hub.start();
    this.gateway.start();
  }

  /** While the sockets are still there: afterwards Nest closes the HTTP server. */
  async beforeApplicationShutdown(): Promise<void> {
    const drained = this.hub.shutdown();
    this.gateway.refuseUndecided();
    await drained;
    await Promise.all([this.gateway.stop(), this.streams?.stop()]);
  }

  /** Last, because until here somebody may still publish. */
  async onApplicationShutdown(): Promise<void> {
    await this.hub.adapter.stop();
  }

  /** The HTTP server's upgrades can have one owner. */
  private assertOnlyOne(): void {
    const count = [...this.modules.values()].filter(({ metatype }) => metatype === RealtimeModule).length;
    if (count > 1) throw new DuplicateModuleError(count);
  }

  /** Undefined in an application without HTTP, which publishes and serves nobody. */
  private httpServer(): Server | undefined {
    return this.httpAdapterHost.httpAdapter?.getHttpServer() as Server | undefined;
  }
}
