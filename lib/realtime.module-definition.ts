import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { RealtimeModuleOptions } from './realtime.options';

/** Injection token of the options as the application gave them. */
export const REALTIME_OPTIONS = Symbol('REALTIME_OPTIONS');

export const { ConfigurableModuleClass, ASYNC_OPTIONS_TYPE, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<RealtimeModuleOptions>({ optionsInjectionToken: REALTIME_OPTIONS })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRealtimeOptions')
    .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();
