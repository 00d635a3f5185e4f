import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { bunVersion } from './contenders';

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** What the figures were measured on. */
export function machine(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  const versions = ['ws', 'socket.io', '@nestjs/core', 'ioredis', '@socket.io/redis-adapter'].map((name) => `${name} ${versionOf(name)}`).join(', ');
  const bun = bunVersion();
  const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim();
  return `${cpus().length} × ${cpu}, ${memory} GiB, ${kernel}, Node ${process.versions.node}, ${versions}${bun ? `, Bun ${bun}` : ''}`;
}

function versionOf(name: string): string {
  // oxlint-disable-next-line typescript/no-require-imports
  return (require(`${name}/package.json`) as { version: string }).version;
}

export function round(value: number, digits = 2): string {
  return value.toFixed(digits);
}
