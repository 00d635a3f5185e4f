import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { InstanceMessage, Visitor } from '../instance/messages';

const INSTANCE = join(__dirname, '..', 'instance', 'main.js');
/** How long a killed instance stays away, in ms: long enough to watch. */
const RESTART_DELAY = 4_000;

export type InstanceState = 'starting' | 'up' | 'down';

/** One instance of the chat in a process of its own, started again whenever it ends. */
export class InstanceProcess {
  state: InstanceState = 'down';
  /** Where it listens on 127.0.0.1, while it is up. */
  port = 0;
  visitors: readonly Visitor[] = [];
  private child: ChildProcess | undefined;
  private restart: NodeJS.Timeout | undefined;
  private stopping = false;

  /** @param onChange is called after each change of what is public here */
  constructor(
    readonly id: number,
    private readonly redisUrl: string,
    private readonly onChange: () => void,
  ) {}

  get pid(): number | undefined {
    return this.state === 'down' ? undefined : this.child?.pid;
  }

  start(): void {
    this.state = 'starting';
    const env = { ...process.env, PORT: '0', HOST: '127.0.0.1', REDIS_URL: this.redisUrl };
    const child = fork(INSTANCE, { env });
    this.child = child;
    child.on('message', (message: InstanceMessage) => this.onMessage(message));
    child.once('exit', () => this.onExit());
    this.onChange();
  }

  /** As a crash or a machine that fails would end it: nobody is told. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  /** As a deployment ends it: clients are told, and come back elsewhere. Resolves when the process has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  private onMessage(message: InstanceMessage): void {
    if (message.kind === 'visitors') {
      this.visitors = message.visitors;
    } else {
      this.port = message.port;
      this.state = 'up';
    }
    this.onChange();
  }

  private onExit(): void {
    this.state = 'down';
    this.visitors = [];
    this.onChange();
    if (!this.stopping) this.restart = setTimeout(() => this.start(), RESTART_DELAY);
  }
}
