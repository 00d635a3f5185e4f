import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';

/** A logger for `app.useLogger()` that keeps whatever it is given, errors with all their fields. */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  log = (...parts: unknown[]): void => this.record('log', parts);
  error = (...parts: unknown[]): void => this.record('error', parts);
  warn = (...parts: unknown[]): void => this.record('warn', parts);
  debug = (...parts: unknown[]): void => this.record('debug', parts);
  verbose = (...parts: unknown[]): void => this.record('verbose', parts);
  fatal = (...parts: unknown[]): void => this.record('fatal', parts);

  get text(): string {
    return this.lines.join('\n');
  }

  private record(level: string, parts: unknown[]): void {
    const shown = parts.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 10 })));
    this.lines.push(`${level} ${shown.join(' ')}`);
  }
}
