import { Injectable } from '@nestjs/common';
import type { RealtimeWsAdapter } from './realtime-ws-adapter';

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

/** Where an application's adapter is put when it is made: Nest does not let a module install one, or ask for it. */
@Injectable()
export class WsAdapterSlot {
  private adapter: RealtimeWsAdapter | undefined;

  fill(adapter: RealtimeWsAdapter): void {
    this.adapter = adapter;
  }

  /** @throws MissingAdapterError */
  get(): RealtimeWsAdapter {
    if (!this.adapter) throw new MissingAdapterError();
    return this.adapter;
  }
}
