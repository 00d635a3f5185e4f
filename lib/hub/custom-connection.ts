import { Logger } from '@nestjs/common';
import { CloseCode } from '../protocol/close-codes';
import { Connection, type ConnectionHub, type ConnectionInit } from './connection';
import { describeError } from './describe-error';
import type { Frame } from './frame';
import type { DisconnectEvent } from './hub-hooks';
import type { OutboxObserver } from './outbox';
import type { Subscriber } from './subscriber';

/** The part of a hub that such a connection speaks to. */
export interface CustomConnectionHub extends ConnectionHub {
  /** Counts frames that were not taken. */
  readonly outboxObserver: OutboxObserver;
}

/** A connection around a subscriber of the application's own. What that throws must not reach whoever is publishing. */
export class CustomConnection extends Connection {
  private ended = false;
  private hasFailed = false;

  constructor(
    private readonly observedBy: CustomConnectionHub,
    init: Omit<ConnectionInit, 'transport'>,
    private readonly subscriber: Subscriber,
    private readonly onClosed: (event: DisconnectEvent) => void,
  ) {
    super(observedBy, { ...init, transport: 'custom' });
  }

  get open(): boolean {
    return !this.ended;
  }

  send(frame: Frame): boolean {
    if (this.ended) return false;
    const accepted = this.offer(frame);
    if (!accepted) this.observedBy.outboxObserver.onDropped(1);
    return accepted;
  }

  close(code: number = CloseCode.Normal, reason = ''): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.subscriber.close(code, reason);
    } catch (error) {
      this.report('close', error);
    }
    this.onClosed({ code, reason });
  }

  /** It leaves by itself: there is nothing to close. */
  detach(): void {
    this.ended = true;
  }

  private offer(frame: Frame): boolean {
    try {
      return this.subscriber.send(frame);
    } catch (error) {
      // Once: a subscriber that is broken is so for each frame.
      if (!this.hasFailed) this.report('send', error);
      this.hasFailed = true;
      return false;
    }
  }

  private report(method: string, error: unknown): void {
    new Logger('Hub').error(`${method}() of the registered subscriber ${this.id} failed`, describeError(error));
  }
}
