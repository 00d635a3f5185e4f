import type { Channel } from './channel';
import type {
  AnyChannels,
  AnyRequests,
  ChannelName,
  DeclarationOf,
  PatternOf,
  RequestDataOf,
  ResponseOf,
  UndeclaredChannel,
  UndeclaredName,
} from '../protocol/channel-declarations';
import { ClientCore } from './client-core';
import type { ClientEvents } from './client.events';
import { type RealtimeClientOptions, resolveOptions } from './client.options';
import type { ConnectionState } from './connection-state';
import { Emitter } from './emitter';
import type { Transport } from './transport';
import { webSocketUrl } from './url';
import { webSocketTransport } from './websocket.transport';

/** How to make a request. @publicApi */
export interface RequestOptions {
  /** Milliseconds to wait for the answer once sent. @default the client's `timeout` */
  timeout?: number;
  /**
   * Send it again when the connection is lost before the answer. Only for requests that may run twice.
   *
   * @default false: rejects with an {@link UnansweredError}
   */
  retry?: boolean;
}

/** `string` where no request is declared, else nothing. */
type UndeclaredType<Requests> = Requests extends AnyRequests ? string : never;

/**
 * A connection to the server that is made again whenever it is lost, and channels that keep their place meanwhile.
 *
 * @example
 * const client = new RealtimeClient('wss://example.com/ws', { token: () => fetchToken() });
 * client.on('state', (state) => show(state));
 * const room = client.channel<ChatMessage>('room:lobby');
 * room.on('message', (message) => append(message));
 * await room.subscribe();
 * await room.publish('chat', { text: 'hi' });
 *
 * @publicApi
 */
export class RealtimeClient<
  Channels extends object = AnyChannels,
  Requests extends object = AnyRequests,
> extends Emitter<ClientEvents> {
  private readonly core: ClientCore;

  /**
   * @param url of the server's `path`: `wss:`, `ws:`, `https:` or `http:`; in a page, it may be relative
   * @throws TypeError when the URL is none, or the runtime has no WebSocket and none is given
   */
  constructor(url: string, options: RealtimeClientOptions = {}) {
    super();
    const settings = resolveOptions(options);
    const transports = (options.transports ?? ['websocket']).map(resolveTransport);
    if (!settings.WebSocket && transports.includes(webSocketTransport)) {
      throw new TypeError('No WebSocket: pass the option WebSocket.');
    }
    this.core = new ClientCore(webSocketUrl(url), settings, transports, (event, ...args) => this.emit(event, ...args));
    // Not at once: the listeners that follow must not miss the beginning.
    if (options.autoConnect !== false) queueMicrotask(() => void this.core.connect().catch(() => undefined));
  }

  get state(): ConnectionState {
    return this.core.state;
  }

  /**
   * Connects: the first time with `autoConnect: false`, again after the client has stopped, or at once while it waits
   * for its next attempt.
   *
   * @returns resolves when connected
   * @throws RealtimeError when the client stops before
   */
  connect(): Promise<void> {
    return this.core.connect();
  }

  /**
   * Ends the connection for good. Whatever waits is rejected with a {@link ClosedError}, iterators end, no timer is left.
   */
  close(): void {
    this.core.close();
  }

  /** The channel with this name: the same object each time. Subscribing is its own step. */
  channel<Data = unknown>(name: UndeclaredName<Channels>): Channel<UndeclaredChannel<Data>>;
  channel<const Name extends ChannelName<Channels>>(
    name: Name & ([PatternOf<Channels, Name>] extends [never] ? never : unknown),
  ): Channel<DeclarationOf<Channels, Name>>;
  channel(name: string): unknown {
    return this.core.channel(name);
  }

  /** Unsubscribes from a channel and forgets its object, for applications that visit many. */
  removeChannel(name: string): void {
    this.core.removeChannel(name);
  }

  /**
   * Asks the server's `@OnMessage(type)` handler.
   *
   * @returns resolves with what the handler returned
   * @throws RealtimeError what the server answered; {@link UnansweredError}, {@link ClientLimitError}
   * @example
   * const quote = await client.request('quote', { symbol: 'X' });
   */
  request<Response = unknown>(
    type: UndeclaredType<Requests>,
    data?: unknown,
    options?: RequestOptions,
  ): Promise<Response>;
  request<Type extends keyof Requests & string>(
    type: Type,
    data: RequestDataOf<Requests[Type]>,
    options?: RequestOptions,
  ): Promise<ResponseOf<Requests[Type]>>;
  async request(type: string, data?: unknown, { timeout, retry = false }: RequestOptions = {}): Promise<unknown> {
    return (await this.core.request({ type, data, idempotencyKey: this.core.newKey() }, retry, timeout)).data;
  }
}

function resolveTransport(transport: string | Transport): Transport {
  if (typeof transport !== 'string') return transport;
  if (transport === 'websocket') return webSocketTransport;
  throw new TypeError(`Unknown transport: ${transport}. Pass its object.`);
}
