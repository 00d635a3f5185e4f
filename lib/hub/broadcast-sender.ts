import type { PublishResult } from './publish.types';

/**
 * Sends to everybody, and nothing else: a token for code that must not know more of the hub. `HubService` stands
 * behind it.
 *
 * @example constructor(private readonly sender: BroadcastSender) {}
 * @publicApi
 */
export abstract class BroadcastSender {
  /** See `HubService.broadcast`. */
  abstract broadcast(type: string, data?: unknown): Promise<PublishResult>;
}
