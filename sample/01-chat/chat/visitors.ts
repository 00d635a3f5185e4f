import { Injectable } from '@nestjs/common';
import { ConnectedClient, Connection, HandshakeQuery, OnConnect, OnHandshake } from 'nestjs-realtime';
import { VisitorDto } from './visitor.dto';

/** What everybody in a room sees of a member. */
export interface VisitorInfo {
  readonly name: string;
}

/** Gives each connection the name that its visitor chose. There is no sign-in: a name proves nothing. */
@Injectable()
export class Visitors {
  /** A name that breaks the rules is refused with 400, before there is a connection. */
  @OnHandshake()
  checkName(@HandshakeQuery() _query: VisitorDto): void {}

  @OnConnect()
  enter(@ConnectedClient() client: Connection, @HandshakeQuery() { name }: VisitorDto): void {
    const info: VisitorInfo = { name: name ?? `Guest ${client.id.slice(0, 4)}` };
    client.info = info;
  }
}

export function nameOf(client: Pick<Connection, 'info'>): string {
  return (client.info as VisitorInfo).name;
}
