import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { checkSources } from './import-rules';

const ROOT = join(__dirname, '../../..');

function readLibrary(): Map<string, string> {
  const paths = readdirSync(join(ROOT, 'lib'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(ROOT, path).split(sep).join('/'), readFileSync(path, 'utf8')]));
}

describe('lib', () => {
  const sources = readLibrary();

  it('is read whole', () => {
    expect([...sources.keys()]).toEqual(expect.arrayContaining(['lib/protocol/envelope.ts', 'lib/hub/hub.service.ts']));
  });

  it('keeps the direction of its imports and the rules of its files', () => {
    expect(checkSources(sources)).toEqual([]);
  });
});
