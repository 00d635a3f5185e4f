import { RealtimeClient, type RealtimeClientOptions, type StateChange } from '../../../../lib/client';
import { FakeNetwork, type FakeSocket } from './fake-network';
import { FakePlatform, settle } from './fake-platform';

/** A client on a fake network, with what it tells its application. */
export class TestClient {
  readonly network = new FakeNetwork();
  readonly platform = new FakePlatform();
  readonly changes: StateChange[] = [];
  readonly errors: Error[] = [];
  readonly client: RealtimeClient;

  constructor(options: RealtimeClientOptions<'websocket' | 'sse'> & { asInNode?: boolean } = {}) {
    const { asInNode, ...rest } = options;
    const WebSocket = asInNode ? this.network.NodeWebSocket : this.network.WebSocket;
    this.client = new RealtimeClient('wss://example.test/ws', { WebSocket, platform: this.platform, ...rest });
    this.client.on('state', (...change) => this.changes.push(change));
    this.client.on('error', (error) => this.errors.push(error));
  }

  get states(): string[] {
    return this.changes.map(([state]) => state);
  }

  /** What came with the last change to the state. */
  context<State extends StateChange[0]>(state: State): Extract<StateChange, [State, unknown]>[1] {
    const change = this.changes.findLast(([name]) => name === state);
    if (!change) throw new Error(`never ${state}`);
    return change[1] as Extract<StateChange, [State, unknown]>[1];
  }

  get socket(): FakeSocket {
    return this.network.last;
  }

  /** Lets time go by until the next socket is made. */
  async reconnect(): Promise<FakeSocket> {
    const { length } = this.network.sockets;
    for (let i = 0; i < 10 && this.network.sockets.length === length; i++) {
      await this.platform.advance(this.platform.nextTimerIn ?? 0);
    }
    if (this.network.sockets.length === length) throw new Error('no further connection is attempted');
    return this.socket;
  }
}

/** A client whose first connection is up. */
export async function connected(
  options: ConstructorParameters<typeof TestClient>[0] = {},
  welcome: Record<string, unknown> = {},
): Promise<TestClient> {
  const test = new TestClient(options);
  await settle();
  await test.socket.welcome(welcome);
  return test;
}

/** What becomes of a promise: an object that tells. */
export function outcome<T>(promise: Promise<T>): { readonly value?: T; readonly error?: unknown; settled: number } {
  const result: { value?: T; error?: unknown; settled: number } = { settled: 0 };
  promise.then(
    (value) => {
      result.value = value;
      result.settled++;
    },
    (error: unknown) => {
      result.error = error;
      result.settled++;
    },
  );
  return result;
}
