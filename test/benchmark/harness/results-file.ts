import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const TITLE = '# Benchmark results';
/** What people write about the figures; it is theirs, and stays at the end. */
const COMMENTARY = '\n## ';

/** A scenario's name and what came of it, as Markdown. */
export type Section = readonly [scenario: string, text: string];

/**
 * Puts the sections of a run into the file: in the place of those that the same scenarios left there, or behind the others.
 * What other scenarios left stays as it is.
 *
 * @param measured where, when and how; each section says it, for they may come from different runs
 */
export function writeResults(file: string, sections: readonly Section[], measured: string): void {
  const old = existsSync(file) ? readFileSync(file, 'utf8') : `${TITLE}\n\nMade by \`npm run bench -- --write\`.\n`;
  writeFileSync(file, replaceSections(old, sections, measured));
}

function replaceSections(old: string, sections: readonly Section[], measured: string): string {
  return sections.reduce((text, [scenario, section]) => {
    const [start, end] = [`<!-- ${scenario} -->`, `<!-- /${scenario} -->`];
    const block = `${start}\n${section}\n\n${measured}\n${end}`;
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from !== -1 && to > from) return text.slice(0, from) + block + text.slice(to + end.length);
    const commentary = text.indexOf(COMMENTARY);
    if (commentary === -1) return `${text.trimEnd()}\n\n${block}\n`;
    return `${text.slice(0, commentary).trimEnd()}\n\n${block}\n${text.slice(commentary)}`;
  }, old);
}
