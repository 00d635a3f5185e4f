import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ConnectedClient, Connection, OnConnect, OnDisconnect } from 'nestjs-realtime';
import { nameOf } from '../../01-chat/chat/visitors';
import { tellParent } from './tell-parent';

/** Changes within this time are told together, in ms. */
const DELAY = 50;

/** Tells the balancer's process who is connected here, for the panel. */
@Injectable()
export class VisitorReport implements OnModuleDestroy {
  private readonly connections = new Set<Connection>();
  private timer: NodeJS.Timeout | undefined;

  @OnConnect()
  enter(@ConnectedClient() client: Connection): void {
    this.connections.add(client);
    this.tellSoon();
  }

  @OnDisconnect()
  leave(@ConnectedClient() client: Connection): void {
    this.connections.delete(client);
    this.tellSoon();
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  private tellSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const visitors = [...this.connections].map((client) => ({ connectionId: client.id, name: nameOf(client) }));
      tellParent({ kind: 'visitors', visitors });
    }, DELAY);
  }
}
