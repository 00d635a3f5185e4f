import { join } from 'node:path';

/** From the compiled samples as from their source, this folder is two levels below the package's root. */
const SAMPLES = join(__dirname, '..', '..', 'sample');

/** A file or folder of the samples' sources: what is not compiled is used from there, so that no copy can be forgotten. */
export function samplePath(...segments: string[]): string {
  return join(SAMPLES, ...segments);
}
