import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A child process that answers each JSON line with one. */
export class LineProcess {
  private readonly waiting: ((answer: unknown) => void)[] = [];
  private readonly early: unknown[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly name: string,
  ) {
    createInterface({ input: child.stdout! }).on('line', (line) => this.receive(line));
    child.on('exit', (code) => {
      if (this.waiting.length > 0) throw new Error(`${name} ended with ${code} while it was asked something`);
    });
  }

  static start(name: string, command: string, args: string[], env: Record<string, string> = {}): LineProcess {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    return new LineProcess(child, name);
  }

  /** The next answer, asked for or not. */
  next<T>(): Promise<T> {
    if (this.early.length > 0) return Promise.resolve(this.early.shift() as T);
    return new Promise((resolve) => this.waiting.push(resolve as (answer: unknown) => void));
  }

  ask<T>(command: object): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.next<T>();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    // The processes end with their input; one that does not is cut off.
    this.child.stdin!.end();
    const cutOff = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(cutOff);
  }

  private receive(line: string): void {
    // Anything that is no JSON is the server's own talk.
    if (!line.startsWith('{')) return;
    const answer: unknown = JSON.parse(line);
    const waiter = this.waiting.shift();
    if (waiter) waiter(answer);
    else this.early.push(answer);
  }
}
