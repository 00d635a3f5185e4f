import { Connection, type ConnectionHub, type ConnectionInit } from './connection';
import type { Frame } from './frame';
import type { Subscriber } from './subscriber';

/** A connection around a subscriber of the application's own. */
export class CustomConnection extends Connection {
  private ended = false;

  constructor(
    hub: ConnectionHub,
    init: Omit<ConnectionInit, 'transport'>,
    private readonly subscriber: Subscriber,
  ) {
    super(hub, { ...init, transport: 'custom' });
  }

  get open(): boolean {
    return !this.ended;
  }

  send(frame: Frame): boolean {
    return !this.ended && this.subscriber.send(frame);
  }

  close(code?: number, reason?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.subscriber.close(code, reason);
  }
}
