import type { Server } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { RealtimeGateway } from './realtime.gateway';

/** The line in main.ts is missing. @publicApi */
export class MissingAdapterError extends Error {
  override name = 'MissingAdapterError';

  constructor() {
    super(
      'RealtimeModule needs its WebSocket adapter. Add this line to main.ts, before app.listen():\n\n' +
        '    app.useWebSocketAdapter(new RealtimeWsAdapter(app));\n',
    );
  }
}

/** A `@WebSocketGateway` has the module's own path. Stops the start. @publicApi */
export class PathConflictError extends Error {
  override name = 'PathConflictError';

  constructor(readonly path: string) {
    super(
      `A @WebSocketGateway has the path "${path}", which is RealtimeModule's: clients could reach only one of them. ` +
        'Give the gateway, or the module\'s option "path", another one.',
    );
  }
}

/** What owns the `upgrade` event of an application's HTTP server. */
export interface UpgradeOwner {
  serve(gateway: RealtimeGateway, server: Server): void;
}

/** Where an application's adapter is put when it is made: Nest does not let a module install one, or ask for it. */
@Injectable()
export class WsAdapterSlot {
  private adapter: UpgradeOwner | undefined;

  fill(adapter: UpgradeOwner): void {
    this.adapter = adapter;
  }

  /** @throws MissingAdapterError */
  get(): UpgradeOwner {
    if (!this.adapter) throw new MissingAdapterError();
    return this.adapter;
  }
}
