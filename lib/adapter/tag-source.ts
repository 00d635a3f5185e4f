import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 6;
const EPOCH_BYTES = 8;

/**
 * Names publications and the lives of histories, in characters that a cursor can carry.
 *
 * A tag is a random prefix of this source and a count: unique in the cluster without a random number per publication.
 */
export class TagSource {
  private readonly prefix = randomBytes(PREFIX_BYTES).toString('hex');
  private count = 0;

  nextTag(): string {
    return this.prefix + (this.count++).toString(36);
  }

  nextEpoch(): string {
    return randomBytes(EPOCH_BYTES).toString('hex');
  }
}
