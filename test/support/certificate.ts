import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate for 127.0.0.1 that signs itself. */
export class Certificate {
  private constructor(
    private readonly directory: string,
    /** As PEM: what a client trusts. */
    readonly pem: string,
  ) {}

  static async create(): Promise<Certificate> {
    const directory = await mkdtemp(join(tmpdir(), 'realtime-tls-'));
    const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    await promisify(execFile)('openssl', [...kind, ...files, ...subject]);
    return new Certificate(directory, await readFile(join(directory, 'cert.pem'), 'utf8'));
  }

  get keyFile(): string {
    return join(this.directory, 'key.pem');
  }

  get file(): string {
    return join(this.directory, 'cert.pem');
  }

  async stop(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
