import type { AdapterFactory } from '../adapter-factory';
import { MemoryAdapter } from './memory-adapter';

/** Bounds of the in-memory adapter. @publicApi */
export interface MemoryAdapterOptions {
  /** Channels whose history or position is kept; with more, the one used longest ago is forgotten. @default 100000 */
  channels?: number;
  /** Idempotency keys that are kept; with more, the oldest is forgotten. @default 100000 */
  idempotencyKeys?: number;
  /** How long the position of an unused channel is known, in ms. @default one day */
  positionTtl?: number;
}

const DAY = 24 * 60 * 60 * 1000;

/**
 * The adapter for one process, which is the default.
 *
 * @example RealtimeModule.forRoot({ adapter: memoryAdapter({ channels: 10_000 }) })
 * @publicApi
 */
export function memoryAdapter(options: MemoryAdapterOptions = {}): AdapterFactory {
  const { channels = 100_000, idempotencyKeys = 100_000, positionTtl = DAY } = options;
  return { create: ({ instanceId }) => new MemoryAdapter({ instanceId, channels, idempotencyKeys, positionTtl }) };
}
