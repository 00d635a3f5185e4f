import type { InjectionToken } from '@nestjs/common';
import type { HubAdapter } from './hub-adapter';

/**
 * What the module gives an adapter when it is made.
 *
 * @publicApi
 */
export interface AdapterContext {
  /** Names this instance in the cluster for as long as it lives: 32 hexadecimal digits. */
  readonly instanceId: string;

  /** The field of every message that says what it is: the module option `envelope.type`. @default 'type' */
  readonly typeField?: string;

  /**
   * Resolves a provider of the application, wherever it is declared. This is how an adapter gets at a client that the
   * application already has.
   *
   * @throws Nest's `UnknownElementException` when nothing provides the token
   */
  resolve<T>(token: InjectionToken): T;
}

/**
 * What the module option `adapter` takes: a description of an adapter, from which each application makes its own.
 *
 * @example
 * const adapter: AdapterFactory = { create: ({ instanceId }) => new NatsAdapter(instanceId) };
 * RealtimeModule.forRoot({ adapter });
 *
 * @publicApi
 */
export interface AdapterFactory {
  /** Makes the adapter. It connects in {@link HubAdapter.start}, not here. */
  create(context: AdapterContext): HubAdapter;
}
