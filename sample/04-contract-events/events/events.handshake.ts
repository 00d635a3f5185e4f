import { Injectable } from '@nestjs/common';
import { HandshakeQuery, OnHandshake } from 'nestjs-realtime';
import { channelOf } from './contract-event';
import { EventsQuery } from './events.query';

/** `GET /ws?contractId=…&topic0=…`: without a contract the answer is 400, and there is no upgrade. */
@Injectable()
export class EventsHandshake {
  @OnHandshake()
  join(@HandshakeQuery() { contractId, topic0 }: EventsQuery): string[] {
    return [channelOf(contractId, topic0 || undefined)];
  }
}
