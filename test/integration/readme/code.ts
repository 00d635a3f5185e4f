import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const README = readFileSync(join(__dirname, '../../../README.md'), 'utf8');

/** The blocks of code in the README that are in `language`, as they stand there. */
export function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, code]) => (of === language ? [code!] : []));
}

/** The one block that contains `text`. */
export function blockWith(language: string, text: string): string {
  const found = blocks(language).filter((code) => code.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language} in README.md contain ${text}`);
  return found[0]!;
}

/** The files of "Five minutes" by name: the blocks that begin with a comment of one. */
export function files(): ReadonlyMap<string, string> {
  return new Map(blocks('ts').flatMap((code) => /^\/\/ ([\w.]+\.ts)\n/.exec(code)?.slice(1, 2).map((name) => [name, code] as const) ?? []));
}
