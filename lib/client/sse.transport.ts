import type { Frame } from './frame';
import { eventStreamParser } from './event-stream-parser';
import type { Link, LinkClose, LinkHandlers, LinkRequest, Transport } from './transport';
import { withQueryToken } from './websocket.transport';

/** A stream in which something, if only a comment, arrived within this time, in ms, is alive. */
const ALIVE_WITHIN = 60_000;

/**
 * Server-Sent Events, for networks that let no WebSocket through. Receives only: publications and requests are rejected.
 *
 * The stream is read with `fetch`, not `EventSource`, so that the token travels in a header and refusals can be told
 * apart. Its channels are fixed when it is opened; a further subscription opens it anew, each channel from where it is.
 *
 * @example
 * import { RealtimeClient, sseTransport } from 'nestjs-realtime/client/core';
 * new RealtimeClient(url, { transports: ['websocket', sseTransport] });
 *
 * @publicApi
 */
export const sseTransport: Transport = {
  name: 'sse',
  open: (request, handlers) => new SseLink(request, handlers),
};

/** To the client, a link like any other: what it sends is answered here, as far as it can be. */
class SseLink implements Link {
  /** The cursor by channel; empty: from now. */
  private readonly cursors = new Map<string, string>();
  /** Subscribes that await their `subscribed`. */
  private readonly pending = new Map<string, number>();
  private token?: string;
  private aborter = new AbortController();
  private scheduled = false;
  private closed = false;
  /** What the server said as its last word, in place of a close frame. */
  private goodbye?: LinkClose;
  private aliveAt = Date.now();

  constructor(
    private readonly request: LinkRequest,
    private readonly handlers: LinkHandlers,
  ) {
    this.token = request.token;
    this.reopen();
    // The client says which channels it wants as soon as the link is open.
    queueMicrotask(() => this.closed || handlers.open());
  }

  send(text: string): boolean {
    const { type, channel = '', id, cursor, data } = this.request.codec.decode(text)!;
    switch (type) {
      case 'subscribe':
        this.cursors.set(channel, cursor ?? '');
        this.pending.set(channel, id as number);
        this.reopen();
        break;
      case 'unsubscribe':
        this.cursors.delete(channel);
        this.answer({ type: 'unsubscribed', id, channel });
        this.reopen();
        break;
      case 'refresh':
        this.token = data as string;
        this.answer({ type: 'refreshed', id });
        this.reopen();
        break;
      case 'ping':
        if (Date.now() - this.aliveAt < ALIVE_WITHIN) this.answer({ type: 'pong', id });
        break;
      default:
        this.answer({ type: 'error', id, data: { code: 'unavailable', message: 'SSE only receives.' } });
    }
    return true;
  }

  close(): void {
    this.closed = true;
    this.aborter.abort();
  }

  /** Not within the call that is answered. */
  private answer(frame: Frame): void {
    queueMicrotask(() => this.closed || this.handlers.frame(frame));
  }

  /** Opens the stream with the channels of now. Several calls in one turn are one. */
  private reopen(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      this.aborter.abort();
      if (this.closed) return;
      this.aborter = new AbortController();
      void this.run(this.aborter.signal);
    });
  }

  private async run(signal: AbortSignal): Promise<void> {
    let status: number | undefined;
    let reason = 'the stream ended';
    try {
      status = await this.read(signal);
    } catch (error) {
      reason = String(error);
    }
    if (signal.aborted) return;
    this.closed = true;
    this.handlers.close({ code: 1006, reason, status, ...this.goodbye });
  }

  /** @returns the status of a refusal, or undefined when the stream ended */
  private async read(signal: AbortSignal): Promise<number | undefined> {
    const { token, request } = this;
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (token && request.tokenTransport !== 'query') headers.authorization = `Bearer ${token}`;
    const { ok, status, body } = await fetch(this.url(), { headers, signal });
    if (!ok || !body) return status;

    const parse = eventStreamParser();
    const decoder = new TextDecoder();
    const reader = body.getReader() as { read(): Promise<{ value?: Uint8Array }> };
    for (;;) {
      const { value } = await reader.read();
      if (!value) return undefined;
      this.aliveAt = Date.now();
      for (const data of parse(decoder.decode(value, { stream: true }))) {
        if (!signal.aborted) this.receive(data);
      }
    }
  }

  private receive(text: string): void {
    const frame = this.request.codec.decode(text);
    const { type, channel = '', cursor } = frame ?? {};
    const asked = this.cursors.get(channel);
    const id = this.pending.get(channel);
    const isAnswer = type === 'subscribed' || type === 'error';
    if (asked !== undefined && cursor !== undefined) this.cursors.set(channel, cursor);

    if (isAnswer && id !== undefined) {
      this.pending.delete(channel);
      this.handlers.frame({ ...frame!, id });
    } else if (type === 'disconnected') {
      this.goodbye = frame!.data as LinkClose;
    } else if (type === 'subscribed' && asked) {
      // The client holds the channel and does not know of the new stream, but it must know of a gap.
      const continues = frame!.recovered === true || cursor === asked;
      if (!continues) this.handlers.frame({ type: 'reset', channel, cursor });
    } else {
      this.handlers.frame(frame);
    }
  }

  /** `{path}/events` with each channel and, in the same order, the cursor to continue it from. */
  private url(): string {
    const { token, request } = this;
    const address = new URL(request.url.replace('ws', 'http'));
    address.pathname = address.pathname.replace(/\/?$/, '/events');
    for (const [channel, cursor] of this.cursors) {
      address.searchParams.append('channel', channel);
      address.searchParams.append('cursor', cursor);
    }
    return token && request.tokenTransport === 'query' ? withQueryToken(address.href, token) : address.href;
  }
}
