import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildSamples, ROOT } from './build-samples';

/** How long a sample may take to start or to stop, in ms. */
const PATIENCE = 20_000;

/** A compiled sample, running in a process of its own, as `node dist-sample/<sample>/main.js` does. */
export class SampleProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly output: string[],
    /** Where its page is: `http://127.0.0.1:<port>/`. */
    readonly url: string,
  ) {}

  /** Compiles when that is needed, starts, and waits for the URL in the log. */
  static async start(sample: string, env: Record<string, string> = {}): Promise<SampleProcess> {
    await buildSamples();
    const child = spawn(process.execPath, [join(ROOT, 'dist-sample', sample, 'main.js')], {
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1', REDIS_URL: '', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      const fail = (what: string): void => {
        clearTimeout(timer);
        reject(new Error(`${sample} ${what}:\n${output.join('')}`));
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        fail('did not start');
      }, PATIENCE);
      child.once('exit', (code) => fail(`ended with code ${code}`));
      const listen = (chunk: Buffer): void => {
        output.push(chunk.toString('utf8'));
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(output.join(''));
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
    });
    return new SampleProcess(child, output, url);
  }

  /** Where clients connect: `ws://127.0.0.1:<port>/ws`. */
  get socketUrl(): string {
    return `${this.url.replace('http', 'ws')}ws`;
  }

  get port(): string {
    return new URL(this.url).port;
  }

  /** What it wrote. */
  get log(): string {
    return this.output.join('');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  /** Asks it to stop, as a process manager does. @returns the signal that it ended by */
  async stop(): Promise<string | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.signalCode;
    const exited = once(this.child, 'exit') as Promise<[number | null, string | null]>;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
    const [, signal] = await exited;
    clearTimeout(timer);
    return signal;
  }
}
