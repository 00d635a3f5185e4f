import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { waitFor } from './wait-for';

/** An application in a process of its own. */
export class ChildApp {
  output = '';
  /** How the process ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  private constructor(private readonly process: ChildProcess) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(process, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** @param name of a file in `test/support/apps`, which says `listening <port>` when it does */
  static start(name: string, ...args: string[]): ChildApp {
    const file = join(__dirname, 'apps', `${name}.ts`);
    const register = join(__dirname, 'swc-register.cjs');
    return new ChildApp(
      spawn(process.execPath, ['-r', register, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  get lines(): string[] {
    return this.output.trim().split('\n');
  }

  async port(): Promise<number> {
    return waitFor('the application to listen', () => {
      if (this.process.exitCode !== null) throw new Error(`The application ended:\n${this.output}`);
      return Number(/listening (\d+)/.exec(this.output)?.[1]);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** For the end of a test: nothing of it may be left. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}
