import { CloseCode } from '../protocol/close-codes';
import { Connection, type ConnectionHub, type ConnectionInit } from './connection';
import type { Frame } from './frame';
import type { DisconnectEvent } from './hub-hooks';
import type { Subscriber } from './subscriber';

/** A connection around a subscriber of the application's own. */
export class CustomConnection extends Connection {
  private ended = false;

  constructor(
    hub: ConnectionHub,
    init: Omit<ConnectionInit, 'transport'>,
    private readonly subscriber: Subscriber,
    private readonly onClosed: (event: DisconnectEvent) => void,
  ) {
    super(hub, { ...init, transport: 'custom' });
  }

  get open(): boolean {
    return !this.ended;
  }

  send(frame: Frame): boolean {
    return !this.ended && this.subscriber.send(frame);
  }

  close(code: number = CloseCode.Normal, reason = ''): void {
    if (this.ended) return;
    this.ended = true;
    this.subscriber.close(code, reason);
    this.onClosed({ code, reason });
  }

  /** It leaves by itself: there is nothing to close. */
  detach(): void {
    this.ended = true;
  }
}
