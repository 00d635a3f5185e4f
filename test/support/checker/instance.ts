import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TcpProxy } from '../tcp-proxy';
import type { PublishOutcome } from './recording';

export interface InstanceCommand {
  readonly do: 'publish' | 'head';
  readonly channel: string;
  readonly id: string;
}

export interface InstanceAnswer {
  readonly id: string;
  readonly outcome: PublishOutcome;
  readonly cursor?: string;
}

const APP = join(__dirname, '..', 'apps', 'recorded-app.ts');
const REGISTER = join(__dirname, '..', 'swc-register.cjs');

/** An instance of an application in a process of its own, behind an address that stays while the process comes and goes. */
export class Instance {
  private child: ChildProcess | undefined;
  private readonly waiting = new Map<string, (answer: InstanceAnswer) => void>();
  private asked = 0;
  up = false;

  private constructor(
    readonly proxy: TcpProxy,
    private readonly redisUrl: string,
  ) {}

  /** Its address; the process is still to be launched. */
  static async create(redisUrl: string): Promise<Instance> {
    // Nobody listens on port 1.
    return new Instance(await TcpProxy.start(1), redisUrl);
  }

  async launch(): Promise<void> {
    const child = fork(APP, [this.redisUrl], { execArgv: ['-r', REGISTER], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child = child;
    const [first] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [{ port: number } | number | null];
    if (first === null || typeof first === 'number') throw new Error(`an instance ended with ${first}`);
    child.on('message', (answer: InstanceAnswer) => this.settle(answer));
    child.once('exit', () => this.onExit());
    this.proxy.retarget(first.port);
    this.up = true;
  }

  /** Without a word to anybody. */
  async kill(): Promise<void> {
    const { child } = this;
    this.up = false;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.proxy.stop();
  }

  publish(channel: string, id: string): Promise<InstanceAnswer> {
    return this.ask({ do: 'publish', channel, id });
  }

  /** Where a channel stands, as the hub says. */
  async head(channel: string): Promise<string> {
    const { cursor } = await this.ask({ do: 'head', channel, id: `head${++this.asked}` });
    if (cursor === undefined) throw new Error(`no instance to say where ${channel} stands`);
    return cursor;
  }

  private ask(command: InstanceCommand): Promise<InstanceAnswer> {
    return new Promise((resolve) => {
      this.waiting.set(command.id, resolve);
      if (this.up) this.child?.send(command, (error) => error && this.settle({ id: command.id, outcome: 'unknown' }));
      else this.settle({ id: command.id, outcome: 'rejected' });
    });
  }

  private settle(answer: InstanceAnswer): void {
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }

  /** Nobody knows what became of what it was told to publish. */
  private onExit(): void {
    this.up = false;
    for (const id of this.waiting.keys()) this.settle({ id, outcome: 'unknown' });
  }
}
