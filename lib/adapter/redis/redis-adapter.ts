import type { AdapterContext } from '../adapter-factory';
import type {
  AdapterDelivery,
  AdapterInstance,
  AdapterPublication,
  AdapterReceiver,
  AdapterStatus,
  AppendResult,
  ControlCommand,
  HistoryPage,
  HistoryQuery,
  HistorySettings,
  HubAdapter,
  IdempotentResult,
  OnceKey,
  PresenceMember,
  ReadRequest,
  ReadResult,
} from '../hub-adapter';
import type { ConnectionSource } from './connection/connection-source';
import type { RedisAdapterSettings } from './redis-adapter.settings';
import { RedisSession } from './redis-session';

/**
 * Connects instances over Redis. What it promises is said on {@link HubAdapter}; how, in the parts that the session is put
 * together from.
 */
export class RedisAdapter implements HubAdapter {
  readonly name = 'redis';
  private session: RedisSession | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly settings: RedisAdapterSettings,
    private readonly source: ConnectionSource,
  ) {}

  async start(receiver: AdapterReceiver): Promise<void> {
    this.session = new RedisSession(this.context, this.settings, this.source, receiver);
    await this.session.start();
  }

  stop(): Promise<void> {
    this.stopped ??= this.session?.stop() ?? Promise.resolve();
    return this.stopped;
  }

  subscribe(channel: string): Promise<void> {
    const { interests, names } = this.running;
    return interests.take(channel, names.channel(channel));
  }

  unsubscribe(channel: string): void {
    this.running.interests.leave(channel);
  }

  publish({ channel, payload, exclude }: AdapterPublication): Promise<AdapterDelivery> {
    const { publisher, names } = this.running;
    return publisher.publish(names.channel(channel), payload, channel, exclude);
  }

  async append(publication: AdapterPublication, history: HistorySettings, once?: OnceKey): Promise<AppendResult> {
    const { publisher, history: histories } = this.running;
    publisher.assertSize(publication.payload, publication.channel);
    return histories.append(publication, history, once);
  }

  broadcast(payload: Buffer): Promise<AdapterDelivery> {
    const { publisher, names } = this.running;
    return publisher.publish(names.broadcast, payload);
  }

  control(command: ControlCommand): Promise<AdapterDelivery> {
    const { publisher, names } = this.running;
    return publisher.publish(names.control, Buffer.from(JSON.stringify(command)));
  }

  read(channel: string, request: ReadRequest, settings: HistorySettings): Promise<ReadResult> {
    const { live, interests, history } = this.running;
    return live.join(interests.find(channel), settings, () => history.read(channel, request, settings));
  }

  history(channel: string, query: HistoryQuery, history: HistorySettings): Promise<HistoryPage> {
    return this.running.history.page(channel, query, history);
  }

  clearHistory(channel: string): Promise<void> {
    return this.running.history.clear(channel);
  }

  claim(key: string, ttl: number, owner?: string): Promise<IdempotentResult | undefined> {
    return this.running.keys.claim(key, ttl, owner);
  }

  remember(key: string, result: IdempotentResult, ttl: number): Promise<void> {
    return this.running.keys.remember(key, result, ttl);
  }

  release(key: string, owner?: string): Promise<void> {
    return this.running.keys.release(key, owner);
  }

  addMember(channel: string, member: PresenceMember): Promise<boolean> {
    return this.running.presence.add(channel, member);
  }

  removeMember(channel: string, connectionId: string): Promise<boolean> {
    return this.running.presence.remove(channel, connectionId);
  }

  members(channel: string): Promise<PresenceMember[]> {
    return this.running.presence.members(channel);
  }

  status(): AdapterStatus {
    return this.session?.status() ?? { ready: false, reason: 'not started', figures: {} };
  }

  instances(): Promise<AdapterInstance[]> {
    return this.running.register.instances();
  }

  private get running(): RedisSession {
    if (this.session === undefined) throw new Error('The Redis adapter is not started: call start() first.');
    return this.session;
  }
}
