import { checkSources } from './import-rules';
import { readLibrary } from './library-sources';

describe('lib', () => {
  const sources = readLibrary();

  it('is read whole', () => {
    expect([...sources.keys()]).toEqual(expect.arrayContaining(['lib/protocol/envelope.ts', 'lib/hub/hub.service.ts']));
  });

  it('keeps the direction of its imports and the rules of its files', () => {
    expect(checkSources(sources)).toEqual([]);
  });
});
