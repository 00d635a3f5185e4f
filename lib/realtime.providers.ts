import type { InjectionToken, Provider } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { memoryAdapter } from './adapter/memory/memory-adapter.factory';
import {
  AuthenticationService,
  AuthenticationUnavailableError,
  BearerTokenGuard,
  isAuthenticatingGuard,
  QueryTokenGuard,
  REALTIME_AUTHENTICATOR,
  resolveAuthenticator,
} from './auth';
import { ChannelLayer } from './channels/channel-layer';
import type { TokenRefresher } from './channels/token-refresher';
import { BroadcastSender } from './hub/broadcast-sender';
import { HubCore } from './hub/hub-core';
import { HubService } from './hub/hub.service';
import { ProcessOutputService } from './hub/process-output.service';
import { MissingOptionsError } from './realtime.errors';
import type { RealtimeModuleOptions } from './realtime.options';
import { REALTIME_OPTIONS } from './realtime.module-definition';
import { REALTIME_SETTINGS, type RealtimeSettings, resolveSettings } from './realtime.settings';
import type { SourceContext } from './sources/channel-source';
import { SourcedAdapter } from './sources/sourced-adapter';
import { SseGateway } from './transports/sse/sse-gateway';
import { GuardChain } from './transports/ws/guard-chain';
import { type GuardOption, GuardResolver } from './transports/ws/guard-resolver';
import { RealtimeGateway } from './transports/ws/realtime.gateway';
import { UpgradeGate } from './transports/ws/upgrade-gate';
import { WsAdapterSlot } from './transports/ws/ws-adapter-slot';

/** Where neither `forRoot` nor `forRootAsync` puts another in its place. */
const noOptionsProvider: Provider = {
  provide: REALTIME_OPTIONS,
  useFactory: () => {
    throw new MissingOptionsError();
  },
};

const settingsProvider: Provider = {
  provide: REALTIME_SETTINGS,
  useFactory: (options: RealtimeModuleOptions) => resolveSettings(options),
  inject: [REALTIME_OPTIONS],
};

const authenticatorProvider: Provider = {
  provide: REALTIME_AUTHENTICATOR,
  useFactory: ({ options }: RealtimeSettings, moduleRef: ModuleRef) =>
    resolveAuthenticator(options.auth?.authenticator, moduleRef),
  inject: [REALTIME_SETTINGS, ModuleRef],
};

const hubProvider: Provider = {
  provide: HubCore,
  useFactory: ({ hub, rules, sources, options }: RealtimeSettings, moduleRef: ModuleRef) => {
    const context: SourceContext = {
      instanceId: hub.instanceId,
      envelope: hub.envelope,
      typeField: hub.envelope.type,
      resolve: <T>(token: InjectionToken): T => moduleRef.get<T>(token, { strict: false }),
    };
    const adapter = (options.adapter ?? memoryAdapter()).create(context);
    if (sources.length === 0) return new HubCore(hub, rules, adapter);
    const routes = sources.map((source) => ({ patterns: source.channels, source: source.create(context) }));
    const isShared = (channel: string): boolean => rules.for(channel).presence !== undefined;
    return new HubCore(hub, rules, new SourcedAdapter(adapter, routes, isShared));
  },
  inject: [REALTIME_SETTINGS, ModuleRef],
};

const channelLayerProvider: Provider = {
  provide: ChannelLayer,
  useFactory: (
    hub: HubCore,
    settings: RealtimeSettings,
    authentication: AuthenticationService,
    discovery: DiscoveryService,
    contextCreator: ExternalContextCreator,
    moduleRef: ModuleRef,
  ) =>
    new ChannelLayer(
      hub,
      { discovery, contextCreator, moduleRef },
      settings.options.validation ?? {},
      authentication.configured ? tokenRefresher(authentication) : undefined,
      settings.dispatch,
    ),
  inject: [HubCore, REALTIME_SETTINGS, AuthenticationService, DiscoveryService, ExternalContextCreator, ModuleRef],
};

const guardChainProvider: Provider = {
  provide: GuardChain,
  useFactory: (contextCreator: ExternalContextCreator, moduleRef: ModuleRef, config: ApplicationConfig) =>
    new GuardChain(contextCreator, new GuardResolver(moduleRef, config)),
  inject: [ExternalContextCreator, ModuleRef, ApplicationConfig],
};

const gateProvider: Provider = {
  provide: UpgradeGate,
  useFactory: (hub: HubCore, channels: ChannelLayer, guards: GuardChain, settings: RealtimeSettings) =>
    new UpgradeGate(hub, guards, channels.hooks, settings.gate),
  inject: [HubCore, ChannelLayer, GuardChain, REALTIME_SETTINGS],
};

const gatewayProvider: Provider = {
  provide: RealtimeGateway,
  useFactory: (hub: HubCore, gate: UpgradeGate, channels: ChannelLayer, settings: RealtimeSettings) =>
    new RealtimeGateway(hub, gate, channels.dispatcher, settings.gateway),
  inject: [HubCore, UpgradeGate, ChannelLayer, REALTIME_SETTINGS],
};

const sseGatewayProvider: Provider = {
  provide: SseGateway,
  useFactory: (hub: HubCore, gate: UpgradeGate, channels: ChannelLayer, { sse }: RealtimeSettings) =>
    sse && new SseGateway(hub, gate, channels.dispatcher, sse),
  inject: [HubCore, UpgradeGate, ChannelLayer, REALTIME_SETTINGS],
};

/** Everything that the module provides. */
export const realtimeProviders: Provider[] = [
  noOptionsProvider,
  settingsProvider,
  authenticatorProvider,
  AuthenticationService,
  hubProvider,
  { provide: HubService, useFactory: (hub: HubCore) => new HubService(hub), inject: [HubCore] },
  { provide: BroadcastSender, useExisting: HubService },
  ProcessOutputService,
  channelLayerProvider,
  guardChainProvider,
  gateProvider,
  gatewayProvider,
  sseGatewayProvider,
  WsAdapterSlot,
];

/** What applications may inject. */
export const realtimeExports = [HubService, BroadcastSender, ProcessOutputService, AuthenticationService];

/** With an authenticator and no guard that asks it, its token is required all the same. */
export function effectiveGuards(guards: readonly GuardOption[], authentication: AuthenticationService): readonly GuardOption[] {
  if (!authentication.configured || guards.some((guard) => isAuthenticatingGuard(guard))) return guards;
  const [source] = authentication.defaultSources;
  return [source === 'query' ? QueryTokenGuard : BearerTokenGuard, ...guards];
}

function tokenRefresher(authentication: AuthenticationService): TokenRefresher {
  return {
    verify: async (token) => {
      const result = await authentication.verify(token);
      if (result.valid) return result.user;
      if (result.error instanceof AuthenticationUnavailableError) throw result.error;
      return undefined;
    },
  };
}
