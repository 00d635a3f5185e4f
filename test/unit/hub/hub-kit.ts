import type { HubAdapter } from '../../../lib/adapter/hub-adapter';
import { memoryAdapter } from '../../../lib/adapter/memory/memory-adapter.factory';
import { Connection, type ConnectionHub } from '../../../lib/hub/connection';
import type { Frame } from '../../../lib/hub/frame';
import { HubCore } from '../../../lib/hub/hub-core';
import type { ConnectionLifecycle } from '../../../lib/hub/connection-lifecycle';
import type { ConnectedUser } from '../../../lib/protocol/connected-user';
import type { RealtimeModuleOptions } from '../../../lib/realtime.options';
import { resolveSettings } from '../../../lib/realtime.settings';

/** A message as it stands in a frame. */
export interface SentMessage {
  type: string;
  id?: string | number;
  channel?: string;
  data?: unknown;
  from?: string;
  cursor?: string;
  recoverable?: boolean;
  recovered?: boolean;
  timestamp: string;
}

export interface RecordingConnectionInit {
  readonly id?: string;
  readonly user?: ConnectedUser;
}

/** A connection that keeps what it is sent. */
export class RecordingConnection extends Connection {
  readonly frames: Frame[] = [];
  closedWith: { code: number | undefined; reason: string | undefined } | undefined;
  /** Called after each frame. */
  onFrame: (() => void) | undefined;

  constructor(
    hub: ConnectionHub & { readonly lifecycle?: ConnectionLifecycle },
    { id = 'c1', user }: RecordingConnectionInit = {},
  ) {
    super(hub, { id, transport: 'test', user });
    this.lifecycle = hub.lifecycle;
  }

  private readonly lifecycle: ConnectionLifecycle | undefined;

  get open(): boolean {
    return this.closedWith === undefined;
  }

  /** The messages of all frames. */
  get messages(): SentMessage[] {
    return this.frames.map((frame) => JSON.parse(frame.text) as SentMessage);
  }

  get types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  send(frame: Frame): boolean {
    if (!this.open) return false;
    this.frames.push(frame);
    this.onFrame?.();
    return true;
  }

  close(code?: number, reason?: string): void {
    if (!this.open) return;
    this.closedWith = { code, reason };
    this.lifecycle?.end(this, { code: code ?? 1000, reason: reason ?? '' });
  }
}

/** A hub as the module makes it, on the in-memory adapter unless it is given another. */
export function createHub(options: RealtimeModuleOptions = {}, adapter: HubAdapter = createMemoryAdapter()): HubCore {
  const settings = resolveSettings(options);
  return new HubCore(settings.hub, settings.rules, adapter);
}

export async function startHub(options: RealtimeModuleOptions = {}, adapter?: HubAdapter): Promise<HubCore> {
  const hub = createHub(options, adapter);
  await hub.start();
  return hub;
}

export function createMemoryAdapter(): HubAdapter {
  return memoryAdapter().create({
    instanceId: '0'.repeat(32),
    resolve: () => {
      throw new Error('the in-memory adapter needs nothing of the application');
    },
  });
}

/** A registered connection. */
export function connect(hub: HubCore, init?: RecordingConnectionInit): RecordingConnection {
  const connection = new RecordingConnection(hub, init);
  hub.register(connection);
  return connection;
}

/** Lets all work that is ready now be done, what it leads to included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
